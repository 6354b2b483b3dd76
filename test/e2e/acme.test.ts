import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { StatusReply } from '../../src/api/contract/contract.ts';
import { folder } from '../support/bad/app.ts';
import { sharedSystem } from '../support/bad/shared-system.ts';
import { noOpenssl } from '../support/certificates.ts';
import { sendTls } from '../support/edge-tls.ts';
import { json, run } from '../support/features/command.ts';
import { noPebble, pebble } from '../support/pebble.ts';
import { freePort } from '../support/system.ts';
import { waitFor } from '../support/wait.ts';

const system = sharedSystem();
const HOST = 'shop.example';

describe.skipIf(noPebble !== null || noOpenssl !== null)('tls: acme', { timeout: 120_000 }, () => {
  test('from the first deploy to a renewal, with an issuer that is away in between', async () => {
    const shop = await folder({ name: 'acme' });
    const tlsPort = await freePort();
    const issuer = await pebble({ httpPort: shop.port, tlsPort });
    onTestFinished(() => issuer.stop());
    shop.configure({
      name: 'acme',
      environment: [
        `domain: ${HOST}`,
        `tls: { acme: { directory: "${issuer.directory}", ca: ${issuer.ca} }, port: ${tlsPort} }`,
      ],
    });
    const status = async () => (await json<StatusReply>(system, shop.root, ['status'])).environments[0]?.tls;
    console.log(await run(system, shop.root, ['up']));
    console.log((await run(system, shop.root, ['status'])).stdout);
    await waitFor(async () => (await status())?.serves, { what: 'TLS', timeout: 60_000, interval: 200 });
    console.log((await run(system, shop.root, ['status'])).stdout, JSON.stringify(await status(), null, 1));
    expect((await sendTls({ port: tlsPort, ca: await issuer.root(), servername: HOST })).body).toBe('v1');
    const log = readFileSync(join(system.paths.logs, 'controller.log'), 'utf8');
    console.log(log);
    console.log(readdirSync(system.paths.certificates, { recursive: true }));
  });
});
