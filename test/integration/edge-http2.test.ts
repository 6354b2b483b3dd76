import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { runCommand } from '../../src/platform/process/spawn.ts';
import { certificate, noOpenssl } from '../support/certificates.ts';
import { answerOf, ask, session } from '../support/edge-http2.ts';
import { behindTls } from '../support/edge-tls.ts';
import { tempDir } from '../support/temp.ts';
import { waitFor } from '../support/wait.ts';

const behind = async (handler?: NonNullable<Parameters<typeof behindTls>[2]>['handler']) => {
  const a = await certificate(tempDir(), 'a', ['a.example']);
  return { ...(await behindTls([a], {}, handler === undefined ? {} : { handler })), a };
};

describe.skipIf(noOpenssl !== null)('HTTP/2', { timeout: 60_000 }, () => {
  test('reaches an instance as HTTP/1.1, with everything said and nothing of the connection', async () => {
    const { api, edge, tlsPort } = await behind((req, res) => {
      res.setHeader('Set-Cookie', ['a=1', 'b=2']);
      res.setHeader('Keep-Alive', 'timeout=9');
      res.end(`${req.method} ${req.url}`);
    });
    const over = await session(tlsPort);
    const reply = await ask(over, { ':path': '/x?y=%20', te: 'trailers', cookie: ['c=1', 'd=2'], 'x-a': 'b' });
    expect([reply.status, reply.body, reply.code]).toEqual([200, 'GET /x?y=%20', 0]);
    expect(reply.headers['set-cookie']).toEqual(['a=1', 'b=2']);
    expect(Object.keys(reply.headers)).not.toEqual(expect.arrayContaining(['keep-alive']));
    expect(api.requests[0]?.headers).toMatchObject({
      host: 'a.example',
      cookie: 'c=1; d=2',
      'x-a': 'b',
      'x-forwarded-proto': 'https',
      'x-forwarded-for': '127.0.0.1',
    });
    expect(api.requests[0]?.headers).not.toHaveProperty('te');
    const bodies = await Promise.all([
      ask(over, { ':method': 'POST' }, 'hello'),
      ask(over, { ':method': 'POST', 'content-length': 5 }, 'hello'),
      ask(over, { ':method': 'POST' }),
    ]);
    expect(bodies.map(({ status }) => status)).toEqual([200, 200, 200]);
    const framing = api.requests
      .slice(1)
      .map(({ headers }) => headers['transfer-encoding'] ?? `length ${headers['content-length']}`);
    expect(framing.toSorted()).toEqual(['chunked', 'length 0', 'length 5']);
    expect(await edge.release('api@1')).toMatchObject({ requests: 4, bad: 0, inFlight: 0 });
  });

  test('has replies without a body, replies with trailers, and replies that broke off', async () => {
    const { tlsPort } = await behind((req, res) => {
      if (req.url === '/trailers') {
        res.writeHead(200, { trailer: 'x-sum' }).write('body');
        res.addTrailers({ 'x-sum': '42' });
        res.end();
      } else if (req.url === '/broken') {
        res.writeHead(200, { 'content-length': '100' }).write('half');
        setTimeout(() => res.destroy(), 50);
      } else
        res
          .writeHead(Number(req.url?.slice(1)), {
            'x-kept': '1',
            ...(req.method === 'HEAD' && { 'content-length': '7' }),
          })
          .end();
    });
    const over = await session(tlsPort);
    for (const status of [204, 304, 404]) {
      const reply = await ask(over, { ':path': `/${status}` });
      expect([reply.status, reply.body, reply.headers['x-kept'], reply.code]).toEqual([status, '', '1', 0]);
    }
    const head = await ask(over, { ':path': '/200', ':method': 'HEAD' });
    expect([head.status, head.headers['content-length'], head.code]).toEqual([200, '7', 0]);
    expect(await ask(over, { ':path': '/trailers' })).toMatchObject({
      body: 'body',
      trailers: { 'x-sum': '42' },
      code: 0,
    });
    const broken = await ask(over, { ':path': '/broken' });
    expect([broken.body, broken.code === 0]).toEqual(['half', false]);
  });

  test('sends events as they come, and carries large bodies both ways', async () => {
    const { tlsPort } = await behind((req, res) => {
      if (req.url === '/events') res.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n');
      else req.pipe(res);
    });
    const over = await session(tlsPort);
    const events = over.request({ ':authority': 'a.example', ':path': '/events' });
    const [first] = (await once(events, 'data')) as [Buffer];
    expect(String(first)).toBe('data: 1\n\n');
    events.close();
    const big = Buffer.alloc(5_000_000, 'x');
    const reply = await ask(over, { ':method': 'POST' }, big);
    expect([reply.status, reply.body.length, reply.code]).toEqual([200, big.length, 0]);
  });

  test('is not waited for with an upload that was answered before its end', async () => {
    const { tlsPort } = await behind((_req, res) => res.writeHead(413).end('too large'));
    const over = await session(tlsPort);
    const stream = over.request({ ':authority': 'a.example', ':method': 'POST' }, { endStream: false });
    stream.write('some');
    const reply = await answerOf(stream);
    expect([reply.status, reply.body, reply.code]).toEqual([413, 'too large', 0]);
    expect((await ask(over)).status).toBe(413);
  });

  test('is not offered to WebSockets, which come over HTTP/1.1', async () => {
    const { api, tlsPort } = await behind();
    const sockets = new WebSocketServer({ server: api.server });
    const over = await session(tlsPort);
    expect(over.remoteSettings.enableConnectProtocol).toBe(false);
    const tunnel = await ask(over, { ':method': 'CONNECT' });
    expect([tunnel.status, api.requests.length]).toEqual([400, 0]);
    sockets.on('connection', (socket) => socket.send('hello'));
    const socket = new WebSocket(`wss://127.0.0.1:${tlsPort}/`, { rejectUnauthorized: false });
    expect(String((await once(socket, 'message'))[0])).toBe('hello');
    const closed = once(socket, 'close');
    for (const each of sockets.clients) each.close();
    await closed;
    sockets.close();
  });

  test('is what curl speaks', async ({ skip }) => {
    const { a, tlsPort } = await behind((req, res) => req.pipe(res));
    const at = `a.example:${tlsPort}`;
    const base = [
      '--silent',
      '--show-error',
      '--http2',
      '--cacert',
      a.cert,
      '--resolve',
      `${at}:127.0.0.1`,
      '--noproxy',
      '*',
    ];
    const ran = await runCommand([
      'curl',
      ...base,
      '--write-out',
      ' %{http_version}',
      '--data',
      'hi',
      `https://${at}/`,
    ]).catch(() => null);
    if (ran === null) skip('curl is not installed');
    expect(ran).toMatchObject({ code: 0, stdout: 'hi 2' });
  });
});

test.skipIf(noOpenssl !== null)('a client that gave up leaves nothing open', { timeout: 60_000 }, async () => {
  const { api, edge, tlsPort } = await behind(() => undefined);
  const over = await session(tlsPort);
  const stream = over.request({ ':authority': 'a.example' });
  await waitFor(() => api.requests.length === 1, { what: 'the request' });
  const left = once(api.requests[0]!.socket, 'close');
  stream.close(8);
  await left;
  expect(await edge.release('api@1')).toMatchObject({ bad: 0, clientAborts: 1, inFlight: 0 });
});
