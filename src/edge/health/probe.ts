import { connect } from 'node:net';
import { UpstreamConnection } from '../upstream/connection.ts';

export interface ProbeTarget {
  readonly port: number;
  /** GET this and expect 2xx; null: a TCP connection is enough. */
  readonly path: string | null;
  readonly timeoutMs: number;
}

export type ProbeResult =
  | { readonly ok: true }
  /** `refused`: nobody listens, which needs no second opinion as much as a slow reply does. */
  | { readonly ok: false; readonly refused: boolean; readonly error: string };

/** Asks an instance once whether it is well. Never rejects. */
export function probe(target: ProbeTarget): Promise<ProbeResult> {
  return target.path === null ? probeTcp(target) : probeHttp(target, target.path);
}

function probeTcp({ port, timeoutMs }: ProbeTarget): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error(`no connection within ${timeoutMs} ms`)));
    socket.once('connect', () => {
      resolve({ ok: true });
      socket.destroy();
    });
    socket.once('error', (error: NodeJS.ErrnoException) =>
      resolve({ ok: false, refused: error.code === 'ECONNREFUSED', error: error.message }),
    );
  });
}

const NOBODY = { released: (connection: UpstreamConnection) => connection.destroy(), gone: () => undefined };

function probeHttp({ port, timeoutMs }: ProbeTarget, path: string): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const connection = new UpstreamConnection(port, NOBODY);
    const finish = (result: ProbeResult): void => {
      clearTimeout(timer);
      connection.destroy();
      resolve(result);
    };
    const timer = setTimeout(
      () => finish({ ok: false, refused: false, error: `GET ${path}: no answer within ${timeoutMs} ms` }),
      timeoutMs,
    );
    const head = `GET ${path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nuser-agent: evenkeel-check\r\nconnection: close\r\n\r\n`;
    connection.send(head, null, false, false, {
      onHead: ({ status }) =>
        finish(
          status >= 200 && status < 300 ? { ok: true } : { ok: false, refused: false, error: `GET ${path}: ${status}` },
        ),
      onBody: () => undefined,
      onEnd: () => undefined,
      onTunnel: (socket) => {
        socket.destroy();
        finish({ ok: false, refused: false, error: `GET ${path}: 101` });
      },
      onFailure: (failure, detail) =>
        finish({ ok: false, refused: failure === 'connect', error: `GET ${path}: ${detail}` }),
    });
  });
}
