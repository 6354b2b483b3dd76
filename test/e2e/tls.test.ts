import { createServer } from 'node:net';
import { once } from 'node:events';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { StatusReply } from '../../src/api/contract/status.ts';
import { app, folder } from '../support/bad/app.ts';
import { sharedSystem } from '../support/bad/shared-system.ts';
import { certificate, noOpenssl } from '../support/certificates.ts';
import { sendTls } from '../support/edge-tls.ts';
import { json, run } from '../support/features/command.ts';
import { tempDir } from '../support/temp.ts';
import { freePort } from '../support/free-port.ts';

const system = sharedSystem();

describe.skipIf(noOpenssl !== null)('TLS in evenkeel.yaml', { timeout: 120_000 }, () => {
  test('is served, said, mended and taken away by `up`, and a port that is taken fails it', async () => {
    const certificates = tempDir('tls');
    const a = await certificate(certificates, 'a', ['localhost', '127.0.0.1']);
    const old = await certificate(certificates, 'old', ['localhost'], -1);
    const port = await freePort();
    const tls = (pair: { cert: string; key: string }, at = port, more = ''): string[] => [
      `tls: { cert: ${pair.cert}, key: ${pair.key}, port: ${at}${more} }`,
    ];
    const shop = await folder({ name: 'secure', environment: tls(old) });

    const said = await run(system, shop.root, ['check', '--env', 'development']);
    expect(said.stdout + said.stderr).toContain('has expired');
    await run(system, shop.root, ['up']);
    const status = async () =>
      (await json<StatusReply>(system, shop.root, ['status', '--env', 'development'])).environments[0];
    expect((await status())?.tls).toMatchObject({
      port,
      serves: true,
      concerns: [expect.stringContaining('has expired')],
    });

    // Another certificate, and nothing else: no release changes.
    shop.configure({ name: 'secure', environment: tls(a, port, ', hsts: true') });
    expect((await run(system, shop.root, ['up'])).stdout).toContain('TLS');
    const now = await status();
    expect(now?.tls).toMatchObject({ serves: true, concerns: [], certificates: [{ daysLeft: 89 }] });
    expect(now?.services[0]?.urls).toEqual([`https://localhost:${port}/`]);
    const reply = await sendTls({ port, ca: a.pem, servername: 'localhost' });
    expect([reply.body, reply.headers['strict-transport-security']]).toEqual(['v1', 'max-age=31536000']);
    expect((await run(system, shop.root, ['status'])).stdout).toContain('89 days left');

    // A deploy through a redirecting port is seen to answer all the same.
    shop.program(app('v2'));
    await run(system, shop.root, ['up']);
    expect((await sendTls({ port, ca: a.pem, servername: 'localhost' })).body).toBe('v2');
    await run(system, shop.root, ['server', 'restart']);
    expect((await sendTls({ port, ca: a.pem, servername: 'localhost' })).body).toBe('v2');

    const stranger = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void stranger.close());
    await once(stranger, 'listening');
    const taken = stranger.address();
    if (taken === null || typeof taken === 'string') throw new Error('no port');
    shop.configure({ name: 'secure', environment: tls(a, taken.port) });
    shop.program(app('v3'));
    const failed = await run(system, shop.root, ['up'], { code: 2 });
    expect(failed.stdout + failed.stderr).toContain('another program has it');
    shop.configure({ name: 'secure', environment: tls(a) });
    await run(system, shop.root, ['up']);
    expect((await sendTls({ port, ca: a.pem, servername: 'localhost' })).body).toBe('v3');

    shop.configure({ name: 'secure' });
    await run(system, shop.root, ['up']);
    await expect(sendTls({ port, ca: a.pem })).rejects.toThrow(/ECONNREFUSED/);
    expect((await fetch(`http://127.0.0.1:${shop.port}/`)).status).toBe(200);
    expect((await status())?.tls).toBe(undefined);
  });
});
