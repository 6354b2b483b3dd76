import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { connect } from 'node:net';
import { once } from 'node:events';
import { beforeEach, describe, expect, test } from 'vitest';
import { EdgeHarness, send, service } from '../support/edge-harness.ts';
import { tempDir } from '../support/temp.ts';
import { freePort } from '../support/free-port.ts';

let edge: EdgeHarness;
let port: number;

function site(files: Record<string, string | Buffer>): string {
  const root = tempDir('site');
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(root, name, '..'), { recursive: true });
    writeFileSync(join(root, name), content);
  }
  return root;
}

beforeEach(async () => {
  edge = new EdgeHarness();
  await edge.start();
  port = await freePort();
});

const serve = (root: string, spa = false) =>
  edge.set(1, service('web', port, [{ release: 'web@1', weight: 100, root, spa }]));
const get = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
  send({ port, path, headers, method });

describe('a static folder', () => {
  test('is served with types, validators and conditions', async () => {
    await serve(site({ 'index.html': '<h1>home</h1>', 'assets/app-BX3kf9aQ.js': 'let x', 'docs/index.html': 'docs' }));
    const home = await get('/');
    expect([home.status, home.body, home.headers['content-type']]).toEqual([
      200,
      '<h1>home</h1>',
      'text/html; charset=utf-8',
    ]);
    expect(home.headers['cache-control']).toBe('no-cache');
    const asset = await get('/assets/app-BX3kf9aQ.js');
    expect(asset.headers['cache-control']).toContain('immutable');
    const etag = String(asset.headers.etag);
    expect((await get('/assets/app-BX3kf9aQ.js', { 'if-none-match': `"other", ${etag}` })).status).toBe(304);
    expect((await get('/assets/app-BX3kf9aQ.js', { 'if-none-match': '"other"' })).status).toBe(200);
    expect((await get('/', { 'if-modified-since': String(home.headers['last-modified']) })).status).toBe(304);
    expect((await get('/', { 'if-match': '"other"' })).status).toBe(412);
    const head = await get('/', {}, 'HEAD');
    expect([head.status, head.headers['content-length'], head.body]).toEqual([200, '13', '']);
    const redirect = await get('/docs?x=1');
    expect([redirect.status, redirect.headers.location]).toEqual([308, '/docs/?x=1']);
    expect((await get('/docs/')).body).toBe('docs');
    expect((await get('/', {}, 'POST')).status).toBe(405);
    expect((await get('/missing')).status).toBe(404);
  });

  test('is served in ranges', async () => {
    const content = Array.from({ length: 200_000 }, (_, i) => String.fromCharCode(97 + (i % 26))).join('');
    await serve(site({ 'film.mp4': content }));
    const one = await get('/film.mp4', { range: 'bytes=100-199' });
    expect([one.status, one.headers['content-range'], one.body]).toEqual([
      206,
      'bytes 100-199/200000',
      content.slice(100, 200),
    ]);
    expect((await get('/film.mp4', { range: 'bytes=-5' })).body).toBe(content.slice(-5));
    expect((await get('/film.mp4', { range: 'bytes=199990-' })).body).toBe(content.slice(199_990));
    const beyond = await get('/film.mp4', { range: 'bytes=200000-' });
    expect([beyond.status, beyond.headers['content-range']]).toEqual([416, 'bytes */200000']);
    expect((await get('/film.mp4', { range: 'lines=1-2' })).status).toBe(200);
    const whole = await get('/film.mp4');
    expect(whole.body === content).toBe(true);
    const etag = String(whole.headers.etag);
    expect((await get('/film.mp4', { range: 'bytes=0-0', 'if-range': etag })).status).toBe(206);
    expect((await get('/film.mp4', { range: 'bytes=0-0', 'if-range': '"old"' })).status).toBe(200);
    const several = await get('/film.mp4', { range: 'bytes=0-4,10-14' });
    expect(several.status).toBe(206);
    expect(several.headers['content-length']).toBe(String(Buffer.byteLength(several.body)));
    expect(several.body).toMatch(
      /bytes 0-4\/200000\r\n\r\nabcde\r\n--.*\r\n.*\r\nContent-Range: bytes 10-14\/200000\r\n\r\nklmno\r\n--/s,
    );
  });

  test('is served whole where ranges make no sense, and never more than whole', async () => {
    await serve(site({ 'film.mp4': '0123456789', 'empty.txt': '' }));
    const ask = async (range: string, more: Record<string, string> = {}, method = 'GET') => {
      const { status, body, headers } = await get('/film.mp4', { range, ...more }, method);
      return [status, body, headers['content-range'] ?? headers['content-length']];
    };
    const whole = [200, '0123456789', '10'];
    expect(await ask('bytes=0-4', {}, 'HEAD')).toEqual([200, '', '10']);
    for (const odd of ['bytes=', 'bytes=-', 'bytes=5-2', 'bytes=a-b', 'bytes=0-4,x', 'bytes 0-4', 'bytes=--5'])
      expect(await ask(odd), odd).toEqual(whole);
    expect(await ask('bytes=0-9,0-9,0-9')).toEqual(whole);
    expect(await ask(`bytes=${Array.from({ length: 40 }, (_, i) => `${i}-${i}`).join(',')}`)).toEqual(whole);
    expect(await ask('bytes=-0')).toEqual([416, expect.anything(), 'bytes */10']);
    expect(await ask('bytes=-99')).toEqual([206, '0123456789', 'bytes 0-9/10']);
    expect(await ask('bytes=8-99999999999999999999')).toEqual([206, '89', 'bytes 8-9/10']);
    expect(await ask('bytes=0-4', { 'if-range': 'W/"x"' })).toEqual(whole);
    expect(await ask('bytes=0-4', { 'if-range': 'Sat, 01 Jan 2000 00:00:00 GMT' })).toEqual(whole);
    expect((await get('/empty.txt', { range: 'bytes=0-' })).status).toBe(416);
    expect((await get('/empty.txt')).status).toBe(200);
  });

  test('gives a prepared encoding to those who take it', async () => {
    await serve(site({ 'app.js': 'plain', 'app.js.gz': gzipSync('plain'), 'app.js.br': 'br' }));
    const best = await get('/app.js', { 'accept-encoding': 'gzip, br' });
    expect([best.headers['content-encoding'], best.headers.vary, best.body]).toEqual(['br', 'Accept-Encoding', 'br']);
    expect(best.headers['content-type']).toBe('text/javascript; charset=utf-8');
    expect((await get('/app.js', { 'accept-encoding': 'br;q=0, gzip' })).headers['content-encoding']).toBe('gzip');
    const plain = await get('/app.js');
    expect([plain.headers['content-encoding'], plain.body, plain.headers.vary]).toEqual([
      undefined,
      'plain',
      'Accept-Encoding',
    ]);
    expect(plain.headers.etag).not.toBe(best.headers.etag);
  });

  test('shows nothing outside of it', async () => {
    const secret = site({ 'secret.txt': 'secret' });
    const root = site({
      'index.html': 'home',
      'in/ok.txt': 'ok',
      '.env': 'secret',
      '.git/config': 'secret',
      '.well-known/security.txt': 'contact',
      '.well-known/.x': 'secret',
    });
    symlinkSync(join(secret, 'secret.txt'), join(root, 'out.txt'));
    symlinkSync(secret, join(root, 'folder'));
    symlinkSync(join(root, 'in', 'ok.txt'), join(root, 'inside.txt'));
    await serve(root);
    expect((await get('/inside.txt')).body).toBe('ok');
    expect((await get('/.well-known/security.txt')).body).toBe('contact');
    const name = secret.split('/').at(-1) ?? '';
    const attempts = [
      '/out.txt',
      '/folder/secret.txt',
      `/../${name}/secret.txt`,
      `/in/../../${name}/secret.txt`,
      `/%2e%2e/${name}/secret.txt`,
      `/..%2f${name}%2fsecret.txt`,
      `/in\\..\\..\\${name}\\secret.txt`,
      '/index.html%00.txt',
      '/%c0%ae%c0%ae/x',
      '/%zz',
      '/.env',
      '/%2eenv',
      '/.git/config',
      '/./.git//config',
      '/.well-known/.x',
      '/in',
      `/${'x'.repeat(8_000)}`,
      `/${'x/'.repeat(4_000)}`,
      '/in/ok.txt/',
    ];
    for (const path of attempts) {
      const socket = connect({ port, host: '127.0.0.1' });
      let answer = '';
      socket.on('data', (chunk: Buffer) => (answer += String(chunk)));
      socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`);
      await once(socket, 'close');
      expect(answer, path).toMatch(/^HTTP\/1\.1 40[04]/);
      expect(answer, path).not.toMatch(/\r\n\r\nsecret/);
    }
  });

  test('of an application answers every page with its one page, and a missing asset with 404', async () => {
    await serve(site({ 'index.html': 'the app' }), true);
    const html = { accept: 'text/html,*/*' };
    expect((await get('/deep/link', html)).body).toBe('the app');
    expect((await get('/deep/link', { accept: 'application/json' })).status).toBe(404);
    expect((await get('/old-chunk.js', html)).status).toBe(404);
  });

  test('serves the assets of every hot release, and pages of the one that the session belongs to', async () => {
    const [old, next] = [
      site({ 'index.html': 'old page', 'assets/old-Ab3dEf9h.js': 'old asset' }),
      site({ 'index.html': 'new page', 'assets/new-Xy7zUv2w.js': 'new asset' }),
    ];
    await edge.set(
      1,
      service('web', port, [
        { release: 'web@1', weight: 50, root: old },
        { release: 'web@2', weight: 50, root: next },
      ]),
    );
    const seen = new Set<string>();
    for (let i = 0; i < 20; i++) {
      const page = await get('/');
      const cookie = String(page.headers['set-cookie']).split(';')[0] ?? '';
      expect(cookie).toMatch(/^__evenkeel=/);
      expect(page.headers['cache-control']).toBe('private, no-cache');
      expect((await get('/', { cookie })).body).toBe(page.body);
      seen.add(page.body);
      for (const name of ['old-Ab3dEf9h', 'new-Xy7zUv2w']) {
        const asset = await get(`/assets/${name}.js`, { cookie });
        expect(asset.body).toBe(name.startsWith('old') ? 'old asset' : 'new asset');
        const anonymous = await get(`/assets/${name}.js`);
        expect(anonymous.headers['set-cookie']).toBeUndefined();
      }
    }
    expect(seen).toEqual(new Set(['old page', 'new page']));
  });

  test('at a route of its own is found with or without that route in its folders', async () => {
    const routes = [{ port, host: null, path: '/docs' }];
    await edge.set(
      1,
      service('docs', null, [{ release: 'docs@1', weight: 100, root: site({ 'a.txt': 'bare' }) }], { routes }),
    );
    expect((await get('/docs/a.txt')).body).toBe('bare');
    const nested = site({ 'docs/a.txt': 'nested' });
    await edge.set(1, service('docs', null, [{ release: 'docs@2', weight: 100, root: nested }], { routes }));
    expect((await get('/docs/a.txt')).body).toBe('nested');
  });
});
