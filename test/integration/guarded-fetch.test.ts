import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { reachOf } from '../../src/platform/address-reach.ts';
import { AddressRefused, guardedFetch } from '../../src/platform/guarded-fetch.ts';
import { certificate, noOpenssl } from '../support/certificates.ts';
import { tempDir } from '../support/temp.ts';

/** Answers on this machine, and counts who got as far as that. */
async function serve(answer: RequestListener): Promise<{ port: number; asked: () => number }> {
  let asked = 0;
  const server = createServer((request, response) => {
    asked += 1;
    answer(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return { port: (server.address() as AddressInfo).port, asked: () => asked };
}

test.each([
  ['8.8.8.8', 'public'],
  ['2606:4700::1111', 'public'],
  ['127.0.0.1', 'loopback'],
  ['127.255.255.254', 'loopback'],
  ['::1', 'loopback'],
  ['[::1]', 'loopback'],
  ['::ffff:127.0.0.1', 'loopback'],
  ['::ffff:7f00:1', 'loopback'],
  ['0:0:0:0:0:ffff:7f00:0001', 'loopback'],
  ['64:ff9b::7f00:1', 'loopback'],
  ['2002:7f00:1::', 'loopback'],
  ['10.1.2.3', 'private'],
  ['172.31.255.255', 'private'],
  ['172.32.0.1', 'public'],
  ['192.168.1.1', 'private'],
  ['100.100.100.200', 'private'],
  ['fd00:ec2::254', 'private'],
  ['::ffff:10.0.0.1', 'private'],
  ['169.254.169.254', 'none'],
  ['::ffff:169.254.169.254', 'none'],
  ['64:ff9b::a9fe:a9fe', 'none'],
  ['fe80::1%eth0', 'none'],
  ['0.0.0.0', 'none'],
  ['::', 'none'],
  ['224.0.0.1', 'none'],
  ['255.255.255.255', 'none'],
  ['example.com', 'none'],
  ['2130706433', 'none'],
])('%s is %s', (address, reach) => expect(reachOf(address)).toBe(reach));

describe('what a public issuer names', () => {
  const named = ['https://id.example.com/realm'] as const;
  const at = (addresses: Record<string, string[]>) => async (host: string) =>
    (addresses[host] ?? []).map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));

  test.each([
    'https://127.0.0.1/keys',
    'https://[::1]/keys',
    'https://[::ffff:127.0.0.1]/keys',
    'https://0x7f.1/keys',
    'https://2130706433/keys',
    'https://10.0.0.1/keys',
    'https://169.254.169.254/latest/meta-data',
    'https://keys.example.com/keys',
    'https://inner.example.com/keys',
    'https://cloud.example.com/keys',
    'https://nowhere.example.com/keys',
    'http://id.example.com/keys',
    'file:///etc/passwd',
  ])('is not asked at %s', async (address) => {
    const ask = guardedFetch({
      named,
      lookup: at({
        'id.example.com': ['8.8.8.8'],
        'keys.example.com': ['127.0.0.1', '::1'],
        'inner.example.com': ['192.168.1.1'],
        'cloud.example.com': ['169.254.169.254'],
      }),
    });
    await expect(ask(address)).rejects.toBeInstanceOf(AddressRefused);
  });

  test('is asked at none of its addresses that are not fit, whatever others it has, and at nothing but what was looked at', async () => {
    const own = await serve((_, response) => response.end('{}'));
    let looks = 0;
    const ask = guardedFetch({
      named,
      // A name that leads elsewhere the second time it is asked.
      lookup: async () => [{ address: ++looks === 1 ? '192.0.2.7' : '127.0.0.1', family: 4 }],
    });
    await expect(ask(`https://keys.example.com:${own.port}/`)).rejects.toBeInstanceOf(AddressRefused);
    expect(looks).toBe(1);
    expect(own.asked()).toBe(0);
  });
});

describe('an issuer on this machine', () => {
  test('is asked over http, and so is what it names here, but no name of elsewhere that leads here', async () => {
    const { port } = await serve((request, response) => response.end(JSON.stringify({ url: request.url })));
    const ask = guardedFetch({
      named: [`http://127.0.0.1:${port}`],
      lookup: async () => [{ address: '127.0.0.1', family: 4 }],
    });
    expect(await (await ask(`http://127.0.0.1:${port}/a?b=c`)).json()).toEqual({ url: '/a?b=c' });
    expect((await ask(`http://localhost:${port}/`)).status).toBe(200);
    await expect(ask(`http://rebound.example.com:${port}/`)).rejects.toBeInstanceOf(AddressRefused);
  });

  test('is followed nowhere, and neither floods nor hangs whoever asks', async () => {
    const { port, asked } = await serve((request, response) => {
      if (request.url === '/moved') response.writeHead(302, { location: '/other' }).end();
      else if (request.url === '/odd') response.writeHead(999).end();
      else if (request.url === '/large') response.end(Buffer.alloc(600 * 1024, 'x'));
      else if (request.url === '/torn')
        response.writeHead(200, { 'content-length': '10' }).write('x', () => response.destroy());
    });
    const ask = guardedFetch({ named: [`http://localhost:${port}`] });
    const url = (path: string): string => `http://localhost:${port}${path}`;
    expect((await ask(url('/moved'))).status).toBe(302);
    expect(asked()).toBe(1);
    await expect(ask(url('/odd'))).rejects.toThrow('none of HTTP');
    await expect(ask(url('/large'))).rejects.toThrow('longer than 512 KiB');
    await expect(ask(url('/torn'))).rejects.toThrow();
    await expect(ask(url('/silent'), { signal: AbortSignal.timeout(50) })).rejects.toMatchObject({
      name: 'AbortError',
    });
    const stuck = guardedFetch({ named: ['https://id.example.com'], lookup: () => new Promise(() => undefined) });
    await expect(stuck('https://id.example.com/', { signal: AbortSignal.timeout(50) })).rejects.toMatchObject({
      name: 'TimeoutError',
    });
  });
});

describe.skipIf(noOpenssl !== null)('over https', () => {
  const lookup = async () => [{ address: '127.0.0.1', family: 4 }];

  test('the certificate proves the name that was asked for, whatever was looked up, and by whom it is trusted', async () => {
    const own = await certificate(tempDir('issuer'), 'id', ['id.example.com']);
    const server = createTlsServer({ cert: readFileSync(own.cert), key: readFileSync(own.key) }, (_, response) =>
      response.end('{}'),
    );
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => {
      server.close();
      server.closeAllConnections();
    });
    const { port } = server.address() as AddressInfo;
    const url = `https://id.example.com:${port}/`;
    expect((await guardedFetch({ named: [url], ca: own.pem, lookup })(url)).status).toBe(200);
    await expect(guardedFetch({ named: [url], lookup })(url)).rejects.toMatchObject({
      code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
    });
    const other = `https://other.example.com:${port}/`;
    await expect(guardedFetch({ named: [other], ca: own.pem, lookup })(other)).rejects.toMatchObject({
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    });
  });
});
