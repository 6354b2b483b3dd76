import { readFileSync, statSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { AcmeConfig, ChallengeType } from '../../src/domain/certificate/acme.ts';
import { acmeCertificates } from '../../src/drivers/certificates/acme/acme-certificates.ts';
import { edgeChallenges } from '../../src/drivers/traffic/edge/edge-challenges.ts';
import { noOpenssl } from '../support/certificates.ts';
import { send } from '../support/edge-harness.ts';
import { behindTls, sendTls, shake } from '../support/edge-tls.ts';
import { noPebble, pebble, type PebbleOptions } from '../support/pebble.ts';
import { tempDir } from '../support/temp.ts';
import { waitFor } from '../support/wait.ts';

const HOST = 'a.example';

/** An issuer, and an edge that serves the host whose certificate is asked for. */
async function world(over: Partial<PebbleOptions> = {}) {
  const folder = tempDir('certificates');
  const nothing = { cert: '/nowhere', key: '/nowhere', issuedFor: HOST };
  const system = await behindTls([], { certificates: [nothing] });
  const issuer = await pebble({ httpPort: system.port, tlsPort: system.tlsPort, ...over });
  onTestFinished(() => issuer.stop());
  const certificates = acmeCertificates({ folder, answer: edgeChallenges({ socketPath: system.edge.socket }) });
  const acme: AcmeConfig = { directory: issuer.directory, email: 'ops@a.example', ca: issuer.ca, challenge: null };
  const id = { directory: issuer.directory, host: HOST };
  const place = { ...certificates.place(id), issuedFor: HOST };
  const told: string[] = [];
  const issue = (type: ChallengeType, signal = new AbortController().signal) =>
    certificates.issue(id, { acme, signal, tell: (text) => told.push(text), choose: () => ({ type, reason: 'test' }) });
  return { ...system, issuer, certificates, id, place, told, issue, folder };
}

describe.skipIf(noPebble !== null || noOpenssl !== null)('a certificate by ACME', { timeout: 60_000 }, () => {
  test.for(['http-01', 'tls-alpn-01'] as const)('is issued by %s and served', async (type) => {
    const { edge, config, place, port, tlsPort, issuer, issue, certificates, id, folder } = await world();
    const tls = { port: tlsPort, bind: '127.0.0.1', certificates: [place], redirect: true, hsts: 'off' as const };
    await edge.set(2, config({ tls }));
    expect((await edge.state()).tls).toMatchObject([{ error: null, waiting: expect.stringContaining(HOST) }]);
    // Until it is there everybody is served in plain, and nobody is sent to where there is nothing.
    expect((await send({ port, headers: { host: HOST } })).status).toBe(200);
    await expect(shake(tlsPort, { servername: HOST })).rejects.toThrow();

    const issued = await issue(type);
    expect(issued.challenge).toBe(type);
    expect(await certificates.look(id)).toMatchObject({ installed: { notAfter: issued.notAfter }, ordered: false });
    await waitFor(async () => (await edge.state()).tls?.[0]?.waiting === null, { what: 'the certificate in use' });
    expect((await sendTls({ port: tlsPort, ca: await issuer.root(), servername: HOST })).body).toBe('api');
    expect((await send({ port, headers: { host: HOST } })).status).toBe(308);
    expect(await edge.state()).toMatchObject({ tls: [{ error: null, waiting: null }] });

    const files = readdirSync(folder, { recursive: true }).map((name) => join(folder, String(name)));
    const open = files.filter((path) => (statSync(path).mode & 0o077) !== 0);
    expect(open).toEqual([]);
    const pem = readFileSync(place.cert, 'utf8');
    const secrets = pem
      .split('PRIVATE KEY-----')[1]
      ?.split('\n')
      .filter((line) => /^[A-Za-z0-9+/=]{20,}$/.test(line));
    expect(secrets?.length).toBeGreaterThan(0);
    for (const secret of secrets ?? []) expect(edge.log).not.toContain(secret);
  });
});
