import { once } from 'node:events';
import { request } from 'node:https';
import type { Agent, RequestOptions } from 'node:https';
import { connect } from 'node:tls';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { onTestFinished } from 'vitest';
import type { EdgeService } from '../../src/domain/traffic/protocol.ts';
import type { TestCertificate } from './certificates.ts';
import { EdgeHarness, replyTo, service } from './edge-harness.ts';
import type { Reply } from './edge-harness.ts';
import { upstream } from './edge-upstream.ts';
import { freePort } from './free-port.ts';

/** Looks for changed certificates this often, ms. */
export const LOOK_MS = 100;

export type Tls = NonNullable<EdgeService['tls']>;

/** An edge that serves one service of one instance in plain and over TLS. */
export async function behindTls(
  certificates: readonly Pick<TestCertificate, 'cert' | 'key'>[],
  over: Partial<Tls> = {},
  { env = {}, handler }: { env?: Record<string, string>; handler?: Parameters<typeof upstream>[1] } = {},
) {
  const edge = new EdgeHarness({ EVENKEEL_EDGE_CERTIFICATE_LOOK_MS: String(LOOK_MS), ...env });
  const first = await edge.start();
  const api = await upstream('api', handler);
  const port = await freePort();
  const tlsPort = await freePort();
  const tls: Tls = {
    port: tlsPort,
    bind: '127.0.0.1',
    certificates: certificates.map(({ cert, key }) => ({ cert, key })),
    redirect: true,
    hsts: 'off',
    ...over,
  };
  const config = (changes: Partial<EdgeService> = {}): EdgeService =>
    service('api', port, [{ release: 'api@1', weight: 100, ports: [api.port] }], { tls, ...changes });
  await edge.set(1, config());
  await edge.healthy(`api@1-${api.port}`);
  return { edge, first, api, port, tlsPort, config };
}

/** One request over TLS to the loopback address, for `servername`. */
export function sendTls(
  options: RequestOptions & { port: number; ca?: string; agent?: Agent | false },
  body: string | Buffer = '',
): Promise<Reply> {
  return replyTo(request({ host: '127.0.0.1', agent: false, servername: 'a.example', ...options }), body);
}

/** A TLS connection of whoever asks, whatever the certificate; rejects when the handshake fails. */
export async function shake(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({
    port,
    host: '127.0.0.1',
    servername: 'a.example',
    rejectUnauthorized: false,
    ...options,
  });
  onTestFinished(() => void socket.destroy());
  await once(socket, 'secureConnect');
  socket.on('error', () => undefined);
  return socket;
}

/** The first name of the certificate that a client is shown. */
export async function shown(port: number, servername: string | undefined): Promise<string> {
  const socket = await shake(port, { servername: servername ?? '' });
  const name = socket.getPeerCertificate().subject.CN;
  socket.destroy();
  return String(name);
}
