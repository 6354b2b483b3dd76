import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import Fastify, { type FastifyInstance } from 'fastify';
import { describe, expect, onTestFinished, test } from 'vitest';
import { CONTENT_SECURITY_POLICY, serveDashboard } from '../../src/api/dashboard.ts';
import { tempDir } from '../support/temp.ts';

const PAGE = '<!doctype html><title>evenkeel</title>';
const SCRIPT = 'export const a = 1;'.repeat(100);

function built(): string {
  const folder = tempDir('up');
  const root = join(folder, 'web');
  mkdirSync(join(root, 'assets'), { recursive: true });
  writeFileSync(join(folder, 'secret.js'), 'a secret');
  writeFileSync(join(root, 'index.html'), PAGE);
  writeFileSync(join(root, '.sources'), 'a hash');
  writeFileSync(join(root, 'favicon.svg'), '<svg/>');
  writeFileSync(join(root, 'assets/a-1b2c.js'), SCRIPT);
  writeFileSync(join(root, 'assets/a-1b2c.js.gz'), gzipSync(SCRIPT));
  symlinkSync(join(folder, 'secret.js'), join(root, 'assets/link.js'));
  return root;
}

async function serve(root: string): Promise<FastifyInstance> {
  const server = Fastify({ forceCloseConnections: true });
  serveDashboard(server, root);
  onTestFinished(() => server.close());
  return server;
}

describe('the files of the dashboard', () => {
  test('every page is the one page, fresh each time, under a strict policy', async () => {
    const server = await serve(built());
    for (const url of ['/', '/rollouts', '/rollouts/r_1?x=1', '/projects/shop/environments/a.b/services/api']) {
      const { statusCode, body, headers } = await server.inject({ url });
      expect({ url, statusCode, body }).toEqual({ url, statusCode: 200, body: PAGE });
      expect(headers).toMatchObject({
        'content-type': 'text/html; charset=utf-8',
        'cache-control': 'no-store',
        'content-security-policy': CONTENT_SECURITY_POLICY,
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
      });
    }
    expect(CONTENT_SECURITY_POLICY).not.toMatch(/unsafe|nonce|data:|\*/);
    expect(CONTENT_SECURITY_POLICY).toContain("frame-ancestors 'none'");
  });

  test('what carries its hash is kept for ever, compressed for whoever takes it', async () => {
    const server = await serve(built());
    const plain = await server.inject({ url: '/assets/a-1b2c.js', headers: { 'accept-encoding': 'gzip;q=0' } });
    expect(plain).toMatchObject({ statusCode: 200, body: SCRIPT });
    expect(plain.headers).toMatchObject({
      'cache-control': 'public, max-age=31536000, immutable',
      'content-type': 'text/javascript; charset=utf-8',
      vary: 'accept-encoding',
    });
    expect(plain.headers).not.toHaveProperty('content-encoding');
    const small = await server.inject({ url: '/assets/a-1b2c.js', headers: { 'accept-encoding': 'br, gzip' } });
    expect(small.headers).toMatchObject({ 'content-encoding': 'gzip', etag: plain.headers.etag });
    expect(small.rawPayload).toEqual(gzipSync(SCRIPT));
    const again = await server.inject({
      url: '/assets/a-1b2c.js',
      headers: { 'if-none-match': String(plain.headers.etag) },
    });
    expect(again).toMatchObject({ statusCode: 304, body: '' });
  });

  test.each([
    '/../secret.js',
    '/assets/../../secret.js',
    '/assets/..%2f..%2fsecret.js',
    '/%2e%2e/secret.js',
    '/..%5csecret.js',
    '/assets/link.js',
    '/.sources',
    '/assets/gone-1234.js',
    '/assets/a-1b2c.js.gz',
    '/robots.txt',
    '/%00',
    '/%zz',
    '//etc/passwd',
  ])('%s is not there', async (path) => {
    const server = await serve(built());
    await server.listen({ host: '127.0.0.1', port: 0 });
    const reply = await raw(server, path);
    expect(reply).toMatch(/^HTTP\/1\.1 4\d\d /);
    expect(reply).not.toContain('a secret');
    expect(reply).not.toContain(PAGE);
  });

  test('nothing below the address of the API is a page', async () => {
    const server = await serve(built());
    for (const url of ['/api/v1/nothing', '/api', '/%61pi/v1/status', '//api/v1/status', '/livez', '/openapi.json'])
      expect({ url, status: (await server.inject({ url })).statusCode }).toEqual({ url, status: 404 });
  });

  test('another build takes its place at once', async () => {
    const root = built();
    const server = await serve(root);
    expect((await server.inject({ url: '/assets/a-1b2c.js' })).statusCode).toBe(200);
    const next = built();
    writeFileSync(join(next, 'assets/b-3d4e.js'), SCRIPT);
    renameSync(root, `${root}.old`);
    renameSync(next, root);
    expect((await server.inject({ url: '/assets/b-3d4e.js' })).statusCode).toBe(200);
  });

  test('says what to do where it was not built', async () => {
    const server = await serve(tempDir());
    const { statusCode, body } = await server.inject({ url: '/' });
    expect(statusCode).toBe(503);
    expect(body).toContain('node scripts/setup.mjs');
  });
});

/** What a client gets that sends a path just as it is. */
async function raw(server: FastifyInstance, path: string): Promise<string> {
  const { port } = server.server.address() as AddressInfo;
  const socket = connect(port, '127.0.0.1');
  socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`);
  let text = '';
  for await (const chunk of socket.setEncoding('utf8')) text += chunk as string;
  return text;
}
