import { spawnSync } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { StatusReply } from '../../src/api/contract/status.ts';
import { folder } from '../support/bad/app.ts';
import { sharedSystem } from '../support/bad/shared-system.ts';
import { noOpenssl } from '../support/certificates.ts';
import { send } from '../support/edge-harness.ts';
import { sendTls } from '../support/edge-tls.ts';
import { json, run } from '../support/features/command.ts';
import { noPebble, pebble } from '../support/pebble.ts';
import { waitFor } from '../support/wait.ts';
import { freePort } from '../support/free-port.ts';

process.env['EVENKEEL_EDGE_CERTIFICATE_LOOK_MS'] = '200';
const system = sharedSystem();
const HOST = 'shop.example';
const BAD = 'bad.example';

describe.skipIf(noPebble !== null || noOpenssl !== null)('tls: acme', { timeout: 120_000 }, () => {
  test('gets what the first deploy needs, through kill -9 of the controller, and says how it goes', async () => {
    const shop = await folder({ name: 'secure' });
    const tlsPort = await freePort();
    const issuer = await pebble({ httpPort: shop.port, tlsPort, blocked: [BAD] });
    onTestFinished(() => issuer.stop());
    const environment = [
      `domain: ${HOST}`,
      `tls: { acme: { directory: "${issuer.directory}", ca: ${issuer.ca} }, port: ${tlsPort} }`,
    ];
    shop.configure({ name: 'secure', environment });
    // The controller is killed as soon as the order is known here; until then the issuer can prove nothing.
    issuer.findsHosts(false);
    const order = () => globSync(join(system.paths.certificates, '*', `${HOST}.order.json`)).length > 0;
    const killed = waitFor(order, { what: 'the order', timeout: 60_000, interval: 5 }).then(async () => {
      const { controller } = await system.keeperInfo();
      process.kill(controller?.pid ?? 0, 'SIGKILL');
      issuer.findsHosts(true);
    });
    const up = await run(system, shop.root, ['up']);
    expect(up.stdout).toContain(`https://${HOST}:${tlsPort}/`);
    await killed;
    const tls = async () => (await json<StatusReply>(system, shop.root, ['status'])).environments[0]?.tls;
    const host = { headers: { host: HOST } };
    await waitFor(async () => (await tls())?.serves, { what: 'TLS', timeout: 60_000, interval: 200 });
    expect((await sendTls({ port: tlsPort, ca: await issuer.root(), servername: HOST, ...host })).body).toBe('v1');
    expect((await send({ port: shop.port, ...host })).status).toBe(308);
    expect([issuer.count('POST /order-plz'), issuer.count('POST /sign-me-up')]).toEqual([1, 1]);
    expect((await tls())?.issuing?.[0]?.story.map(({ text }) => text.split(',')[0])).toEqual([
      'ordered: there is none yet',
      'gone on: an order was begun before',
      'issued',
    ]);

    // Another host, which the issuer refuses: the first one goes on as it was, and everybody says why and what to do.
    const second = `  blog: { run: node main.js, routes: ["${BAD}/"], health: /health }\n`;
    shop.configure({ name: 'secure', environment, services: second });
    await run(system, shop.root, ['up']);
    const failing = await waitFor(async () => (await tls())?.concerns[0], {
      what: 'the reason',
      timeout: 60_000,
      interval: 200,
    });
    expect(failing).toMatch(/there is no certificate for bad\.example yet .*rejectedIdentifier.*take another name/);
    expect((await run(system, shop.root, ['status'])).stdout).toContain(`TLS: there is no certificate for ${BAD} yet`);
    expect((await sendTls({ port: tlsPort, ca: await issuer.root(), servername: HOST, ...host })).body).toBe('v1');
    const doctor = await run(system, shop.root, ['doctor', '--all'], { code: 1 });
    const said = doctor.stdout.replaceAll(/\s+/g, ' ');
    expect(said).toContain(`the certificate for ${HOST} lasts`);
    expect(said).toMatch(/there is no certificate for bad\.example yet: .*rejectedIdentifier/);

    // No key is anywhere but in its file: not in logs, the store, the edge's files or what the API says.
    const pem = globSync(join(system.paths.certificates, '*', `${HOST}.pem`))[0] ?? '';
    const keys =
      readFileSync(pem, 'utf8')
        .split('PRIVATE KEY-----')[1]
        ?.split('\n')
        .filter((line) => line.length > 20) ?? [];
    expect(keys.length).toBeGreaterThan(0);
    expect(existsSync(system.paths.store)).toBe(true);
    for (const key of keys) {
      const found = spawnSync('grep', ['-rlFa', '--', key, system.paths.home], { encoding: 'utf8' });
      expect(found.stdout.trim().split('\n')).toEqual([pem]);
    }
  });
});
