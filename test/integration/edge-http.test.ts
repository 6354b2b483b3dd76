import { once } from 'node:events';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { describe, expect, test } from 'vitest';
import { behindEdge, open, raw } from '../support/edge-client.ts';
import { send } from '../support/edge-harness.ts';

describe('what passes', () => {
  test('the request, without what concerns the connection, and with who asked', async () => {
    const { api, port } = await behindEdge((_req, res) => res.end());
    await send({
      port,
      path: '/a%2Fb?q=1',
      headers: {
        host: 'shop.example:8080',
        connection: 'close, X-Secret-Hop',
        'x-secret-hop': '1',
        'keep-alive': 'timeout=1',
        'proxy-authorization': 'Basic x',
        te: 'trailers',
        'x-forwarded-for': '6.6.6.6',
        'x-forwarded-proto': 'https',
        'x-real-ip': '6.6.6.6',
        forwarded: 'for=6.6.6.6',
        cookie: 'a=1; __evenkeel=AAAAAAAAAAAAAAAAAAAAAA; b=2',
        'x-kept': 'yes',
      },
    });
    const [req] = api.requests;
    expect(req?.url).toBe('/a%2Fb?q=1');
    expect(req?.headers).toEqual({
      host: 'shop.example:8080',
      cookie: 'a=1; b=2',
      'x-kept': 'yes',
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'http',
      'x-forwarded-host': 'shop.example:8080',
      connection: 'keep-alive',
    });
  });

  test('a trusted proxy is believed, and its chain continued', async () => {
    const { api, port } = await behindEdge((_req, res) => res.end(), {
      EVENKEEL_EDGE_TRUSTED_PROXIES: '10.0.0.0/8,127.0.0.1',
    });
    await send({ port, headers: { host: 'x', 'x-forwarded-for': '9.9.9.9', 'x-forwarded-proto': 'https' } });
    expect(api.requests[0]?.headers).toMatchObject({
      'x-forwarded-for': '9.9.9.9, 127.0.0.1',
      'x-forwarded-proto': 'https',
    });
  });

  test('the reply, its doubled headers, its status line, its trailers', async () => {
    const { port } = await behindEdge((_req, res) => {
      res.writeHead(207, 'Very Multi', [
        'Set-Cookie',
        'a=1',
        'Set-Cookie',
        'b=2',
        'Trailer',
        'X-Sum',
        'Connection',
        'X-Hop',
        'X-Hop',
        '1',
      ]);
      res.write('body');
      res.addTrailers({ 'X-Sum': '42' });
      res.end();
    });
    const answer = await raw(port, 'GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 207 Very Multi\r\n/);
    expect(answer).toContain('Set-Cookie: a=1\r\nSet-Cookie: b=2\r\n');
    expect(answer).not.toContain('X-Hop');
    expect(answer).toMatch(/0\r\nX-Sum: 42\r\n\r\n$/);
  });

  test('replies without body stay without: HEAD, 204, 304', async () => {
    const { port } = await behindEdge((req, res) => {
      if (req.url === '/204') res.writeHead(204).end();
      else if (req.url === '/304') res.writeHead(304, { etag: '"x"' }).end();
      else res.writeHead(200, { 'content-length': '5' }).end(req.method === 'HEAD' ? undefined : 'hello');
    });
    const head = await send({ port, method: 'HEAD' });
    expect([head.status, head.headers['content-length'], head.body]).toEqual([200, '5', '']);
    expect((await send({ port, path: '/204' })).status).toBe(204);
    const notModified = await send({ port, path: '/304' });
    expect([notModified.status, notModified.headers.etag]).toEqual([304, '"x"']);
  });

  test('more headers than llhttp hands out at once', async () => {
    const many = Array.from({ length: 100 }, (_, i) => [`x-n-${i}`, String(i)]).flat();
    const { port, api } = await behindEdge((_req, res) => res.writeHead(200, many).end('x'));
    const reply = await send({ port, headers: ['host', 'x', ...many] });
    expect(reply.headers['x-n-99']).toBe('99');
    expect(api.requests[0]?.headers['x-n-99']).toBe('99');
  });

  test('large bodies both ways, with a length and without, without being collected', async () => {
    const { port } = await behindEdge((req, res) => {
      res.writeHead(200, { 'x-length': req.headers['content-length'] ?? req.headers['transfer-encoding'] ?? '' });
      req.pipe(res);
    });
    const body = Buffer.alloc(3_000_000, 'abcdefghij');
    const sized = await send({ port, method: 'POST', headers: { 'content-length': body.length } }, body);
    expect([sized.headers['x-length'], sized.body === String(body)]).toEqual([String(body.length), true]);
    const chunked = await send({ port, method: 'PUT', headers: { 'transfer-encoding': 'chunked' } }, body);
    expect([chunked.headers['x-length'], chunked.body === String(body)]).toEqual(['chunked', true]);
  });

  test('a client that waits for 100 Continue gets it when somebody is there to take the body', async () => {
    const { port } = await behindEdge((req, res) => void req.pipe(res));
    const req = request({
      port,
      host: '127.0.0.1',
      method: 'POST',
      agent: false,
      headers: { expect: '100-continue', 'content-length': 4 },
    });
    req.flushHeaders();
    await once(req, 'continue');
    req.end('body');
    const [res] = (await once(req, 'response')) as [IncomingMessage];
    expect(String(Buffer.concat(await res.toArray()))).toBe('body');
  });

  test('a reply that starts before the upload has ended', async () => {
    const { port } = await behindEdge((req, res) => {
      // Closed with the upload unread: the edge, which goes on writing, is refused.
      res.writeHead(413, { connection: 'close' }).end('too large', () => req.socket.destroy());
    });
    for (const length of [1_000, 200_000, 8_000_000]) {
      const reply = await send({ port, method: 'POST' }, Buffer.alloc(length));
      expect([length, reply.status, reply.body]).toEqual([length, 413, 'too large']);
    }
  });

  test('a reply that came before the edge saw that it may not write any more', async () => {
    let answer = (): void => undefined;
    const { port, pid, api } = await behindEdge((req, res) => {
      answer = () => res.writeHead(413, { connection: 'close' }).end('too large', () => req.socket.resetAndDestroy());
    });
    const { socket, answer: received } = open(port);
    socket.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n123');
    await expect.poll(() => api.requests).toHaveLength(1);
    process.kill(pid, 'SIGSTOP');
    try {
      socket.write('456');
      const gone = once(api.requests[0]?.socket ?? socket, 'close');
      answer();
      await gone;
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await expect.poll(received).toMatch(/^HTTP\/1\.1 413 [^]*too large/);
  });
});

describe('what does not pass', () => {
  const conflicting = [
    [
      'length and chunks',
      'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 6\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nhost: x\r\n\r\n',
    ],
    ['two lengths', 'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello!'],
    ['a space before the colon', 'POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding : chunked\r\n\r\n0\r\n\r\n'],
    ['a folded header', 'GET / HTTP/1.1\r\nhost: x\r\nx-a: 1\r\n transfer-encoding: chunked\r\n\r\n'],
    ['a bare CR', 'GET / HTTP/1.1\r\nhost: x\r\nx-a: 1\rx-b: 2\r\n\r\n'],
    ['no host', 'GET / HTTP/1.1\r\n\r\n'],
    ['an odd chunk size', 'POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n'],
  ] as const;
  test.each(conflicting)('a request that could be read in two ways: %s', async (_name, text) => {
    const { api, port } = await behindEdge((_req, res) => res.end('seen'));
    const answer = await raw(port, text);
    expect(answer).toMatch(/^HTTP\/1\.1 4\d\d/);
    expect(answer).not.toContain('seen');
    expect(api.requests.some(({ url }) => url === '/smuggled')).toBe(false);
  });

  test('a transfer coding that would be lost on the way', async () => {
    const { api, port } = await behindEdge((_req, res) => res.end('seen'));
    const answer = await raw(
      port,
      'POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
    );
    expect(answer).toMatch(/^HTTP\/1\.1 501/);
    expect(api.requests).toEqual([]);
  });

  test('headers that are too large, and a client that sends them too slowly', async () => {
    const { port } = await behindEdge((_req, res) => res.end('seen'), { EVENKEEL_EDGE_HEADERS_TIMEOUT_MS: '300' });
    expect(await raw(port, `GET / HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(40_000)}\r\n\r\n`)).toMatch(/^HTTP\/1\.1 431/);
    expect(await raw(port, 'GET / HTTP/1.1\r\nhost: x\r\nx-slow: ')).toMatch(/^HTTP\/1\.1 408/);
  });

  test('an upload that stalls', async () => {
    const { edge, port } = await behindEdge((req, res) => req.resume().on('end', () => res.end()), {
      EVENKEEL_EDGE_STALL_MS: '300',
    });
    expect(await raw(port, 'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nhalf')).toMatch(/^HTTP\/1\.1 408/);
    const { bad, clientAborts } = await edge.release('api@1');
    expect([bad, clientAborts]).toEqual([0, 1]);
  });
});
