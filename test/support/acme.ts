import { onTestFinished } from 'vitest';
import type { AcmeConfig, ChallengeType } from '../../src/domain/certificate/acme.ts';
import { acmeCertificates } from '../../src/drivers/certificates/acme/acme-certificates.ts';
import { edgeChallenges } from '../../src/drivers/traffic/edge/edge-challenges.ts';
import { behindTls } from './edge-tls.ts';
import { pebble, type PebbleOptions } from './pebble.ts';
import { tempDir } from './temp.ts';

/** The host whose certificate is asked for. */
export const HOST = 'a.example';

/** An issuer, an edge that serves the host in plain and waits for its certificate, and what gets certificates. */
export async function acmeWorld(over: Partial<PebbleOptions> = {}) {
  const folder = tempDir('certificates');
  const nothing = { cert: '/nowhere', key: '/nowhere', issuedFor: HOST };
  const system = await behindTls([], { certificates: [nothing] });
  const { edge, port, tlsPort } = system;
  const issuer = await pebble({ httpPort: port, tlsPort, ...over });
  onTestFinished(() => issuer.stop());
  /** As another controller would have it. */
  const open = () => acmeCertificates({ folder, answer: edgeChallenges({ socketPath: edge.socket }) });
  const acme: AcmeConfig = { directory: issuer.directory, email: 'ops@a.example', ca: issuer.ca, challenge: null };
  const id = { directory: issuer.directory, host: HOST };
  const issued = { ...open().place(id), issuedFor: HOST };
  const service = system.config();
  const config = { ...service, routes: service.routes.map((route) => ({ ...route, host: HOST })) };
  const tls = { port: tlsPort, bind: '127.0.0.1', certificates: [issued], redirect: true, hsts: 'off' as const };
  await edge.set(2, { ...config, tls });
  const told: string[] = [];
  const issue = (type: ChallengeType, { signal, tell }: { signal?: AbortSignal; tell?: (text: string) => void } = {}) =>
    open().issue(id, {
      acme,
      signal: signal ?? new AbortController().signal,
      tell: (text) => {
        told.push(text);
        tell?.(text);
      },
      ordering: () => Promise.resolve(),
      choose: () => ({ type, reason: 'test' }),
    });
  return { ...system, issuer, open, acme, id, pem: issued.cert, told, issue, folder };
}
