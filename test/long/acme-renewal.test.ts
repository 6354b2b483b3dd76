import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { StatusReply } from '../../src/api/contract/status.ts';
import { folder } from '../support/bad/app.ts';
import { sharedSystem } from '../support/bad/shared-system.ts';
import { noOpenssl } from '../support/certificates.ts';
import { sendTls, shake } from '../support/edge-tls.ts';
import { json, run } from '../support/features/command.ts';
import { noPebble, pebble } from '../support/pebble.ts';
import { waitFor } from '../support/wait.ts';
import { freePort } from '../support/free-port.ts';

process.env['EVENKEEL_EDGE_CERTIFICATE_LOOK_MS'] = '200';
const system = sharedSystem();
const HOST = 'shop.example';
/** Of a certificate, s: renewed after two thirds of it. */
const LIFETIME = 30;

describe.skipIf(noPebble !== null || noOpenssl !== null)('certificates of a short life', { timeout: 300_000 }, () => {
  test('are renewed again and again, while everything is replaced or killed, and no client is shown an old one', async () => {
    const shop = await folder({ name: 'secure' });
    const tlsPort = await freePort();
    const issuer = await pebble({ httpPort: shop.port, tlsPort, validity: LIFETIME });
    onTestFinished(() => issuer.stop());
    const acme = `{ acme: { directory: "${issuer.directory}", ca: ${issuer.ca}, challenge: tls-alpn-01 }, port: ${tlsPort} }`;
    shop.configure({ name: 'secure', environment: [`domain: ${HOST}`, `tls: ${acme}`] });
    await run(system, shop.root, ['up']);
    const tls = async () => (await json<StatusReply>(system, shop.root, ['status'])).environments[0]?.tls;
    await waitFor(async () => (await tls())?.serves, { what: 'TLS', timeout: 60_000, interval: 500 });

    const ca = await issuer.root();
    const failures: string[] = [];
    let answered = 0;
    let over = false;
    // A client that looks at names, dates and who has signed, on a new connection each time.
    const client = (async () => {
      while (!over) {
        await sendTls({ port: tlsPort, ca, servername: HOST, headers: { host: HOST } }).then(
          ({ body }) => void (body === 'v1' ? answered++ : failures.push(body)),
          (error: unknown) => failures.push(String(error)),
        );
        await sleep(20);
      }
    })();
    onTestFinished(() => void (over = true));
    const serial = async () => (await shake(tlsPort, { servername: HOST })).getPeerCertificate().serialNumber;
    const seen = [await serial()];
    const renewed = async () => {
      await waitFor(async () => (await serial()) !== seen.at(-1), {
        what: `renewal ${seen.length}`,
        timeout: 120_000,
        interval: 200,
      });
      seen.push(await serial());
    };
    await renewed();
    await run(system, shop.root, ['server', 'restart']);
    await renewed();
    const { controller } = await system.keeperInfo();
    process.kill(controller?.pid ?? 0, 'SIGKILL');
    await renewed();
    over = true;
    await client;

    expect(new Set(seen).size).toBe(4);
    expect(failures).toEqual([]);
    expect(answered).toBeGreaterThan(100);
    // One order each, and one account for all of them.
    expect(issuer.count('POST /sign-me-up')).toBe(1);
    const story = (await tls())?.issuing?.[0]?.story.map(({ text }) => text.split(/[:,]/)[0]) ?? [];
    expect(story.filter((text) => text === 'failed')).toEqual([]);
    expect(issuer.count('POST /order-plz')).toBe(story.filter((text) => text === 'ordered').length);
    console.log(`${answered} requests, 0 failed, over ${seen.length - 1} renewals`);
  });
});
