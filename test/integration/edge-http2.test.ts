import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import type { EdgeService } from '../../src/domain/traffic/protocol.ts';
import { runCommand } from '../../src/platform/process/spawn.ts';
import { certificate, noOpenssl } from '../support/certificates.ts';
import { block, FLAG, FRAME, frame } from '../support/corpus/frames.ts';
import { head, RawSession } from '../support/corpus/raw-session.ts';
import { answerOf, ask, session } from '../support/edge-http2.ts';
import { behindTls } from '../support/edge-tls.ts';
import { upstream } from '../support/edge-upstream.ts';
import { tempDir } from '../support/temp.ts';
import { waitFor } from '../support/wait.ts';

const behind = async (handler?: NonNullable<Parameters<typeof behindTls>[2]>['handler']) => {
  const a = await certificate(tempDir(), 'a', ['a.example']);
  return { ...(await behindTls([a], {}, handler === undefined ? {} : { handler })), a };
};

describe.skipIf(noOpenssl !== null)('HTTP/2', () => {
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

describe.skipIf(noOpenssl !== null)('a request over HTTP/2', () => {
  test('that was given up leaves nothing open', async () => {
    const { api, edge, tlsPort } = await behind(() => undefined);
    const over = await session(tlsPort);
    const stream = over.request({ ':authority': 'a.example' });
    const received = await waitFor(() => api.requests[0], { what: 'the request' });
    const left = once(received.socket, 'close');
    stream.close(8);
    await left;
    // Half a body that is given up without an error must not look like a whole one.
    const raw = await RawSession.open(tlsPort);
    raw.write(
      Buffer.concat([
        frame(FRAME.headers, FLAG.endHeaders, 1, block(head('/half', 'POST'))),
        frame(FRAME.data, 0, 1, 'half'),
      ]),
    );
    const half = await waitFor(() => api.requests[1], { what: 'the other request' });
    const [begun] = (await once(half, 'data')) as [Buffer];
    let ended = false;
    half.on('end', () => (ended = true));
    half.on('error', () => undefined);
    const cut = new Promise((resolve) => half.socket.once('close', resolve));
    raw.write(frame(FRAME.reset, 0, 1, '\0\0\0\0'));
    await cut;
    expect([String(begun), ended, half.complete]).toEqual(['half', false, false]);
    raw.socket.destroy();
    await waitFor(async () => (await edge.release('api@1')).inFlight === 0, { what: 'nothing to be in flight' });
    expect(await edge.release('api@1')).toMatchObject({ bad: 0, clientAborts: 2 });
  });

  test('is held, chosen for, judged, limited and refused like any other', async () => {
    const { api, edge, tlsPort, config } = await behind((req, res) => {
      if (req.url !== '/never') res.end('one');
    });
    const two = await upstream('two');
    const over = await session(tlsPort);
    const shares = (canary: number): EdgeService => ({
      ...config({
        timeoutMs: 700,
        split: { rollout: 'r', canary: 'api@2', baseline: 'api@1', slow: null },
      }),
      tls: { ...config().tls!, hsts: 'on' },
      releases: [
        { release: 'api@1', weight: 100 - canary, port: api.port },
        { release: 'api@2', weight: canary, port: two.port },
      ].map(({ release, weight, port }) => ({
        release,
        weight,
        instances: [{ id: `${release}-i`, port, startedAt: 1, draining: false }],
        health: null,
        static: null,
      })),
    });
    await edge.set(2, shares(50));
    await edge.healthy('api@1-i', 'api@2-i');
    const replies = await Promise.all(Array.from({ length: 40 }, () => ask(over)));
    expect(new Set(replies.map(({ body }) => body))).toEqual(new Set(['one', 'two']));
    expect(replies[0]?.headers['strict-transport-security']).toBe('max-age=31536000');
    for (const { headers, body } of replies.slice(0, 8)) {
      const cookie = String(headers['set-cookie']);
      expect(cookie).toContain('; Secure');
      const again = await ask(over, { cookie: ['a=b', cookie.split(';')[0] ?? ''] });
      expect([again.body, again.headers['set-cookie']]).toEqual([body, undefined]);
    }
    const { evidence } = await edge.stats();
    expect(evidence.length).toBe(1);

    await edge.set(3, shares(0));
    expect(await ask(over, { ':path': '/never' })).toMatchObject({ status: 504, code: 0 });
    expect((await edge.release('api@1')).bad).toBe(1);
    const probe = await ask(over, { 'evenkeel-probe': edge.probeToken });
    expect(probe.headers['evenkeel-release']).toBe('api@1');

    // Nobody is there for a while: whoever asks waits, and is served by the first that comes.
    await edge.set(4, { ...shares(0), releases: [], split: null });
    const held = ask(over, { ':method': 'POST' }, 'body');
    await waitFor(async () => (await edge.state()).services[0]?.held === 1, { what: 'the request to be held' });
    await edge.set(5, shares(100));
    expect(await held).toMatchObject({ status: 200, body: 'two' });
    await edge.set(6, { ...shares(0), releases: [], split: null, whenEmpty: 'refuse' });
    const refused = await ask(over, { accept: 'application/json' });
    expect([refused.status, refused.headers['retry-after'], refused.headers['content-type']]).toEqual([
      503,
      '2',
      'application/json',
    ]);
    await two.die();
    await edge.set(7, shares(100));
    expect((await ask(over, { ':method': 'POST' }, 'x')).status).toBeGreaterThanOrEqual(502);
    expect(edge.log).not.toContain('unexpected');
  });

  test('is lost by no change of weights, nor by a release that goes', async () => {
    const { api, edge, tlsPort, config } = await behind(
      (req, res) => void req.resume().on('end', () => res.end('one')),
    );
    const two = await upstream('two', (req, res) => void req.resume().on('end', () => res.end('two')));
    const shares = (canary: number): EdgeService => ({
      ...config(),
      releases: [
        { release: 'api@1', weight: 100 - canary, port: api.port },
        { release: 'api@2', weight: canary, port: two.port },
      ]
        .filter(({ weight }) => weight > 0)
        .map(({ release, weight, port }) => ({
          release,
          weight,
          instances: [{ id: `${release}-i`, port, startedAt: 1, draining: false }],
          health: null,
          static: null,
        })),
    });
    await edge.set(2, shares(50));
    await edge.healthy('api@1-i', 'api@2-i');
    const over = await session(tlsPort);
    const failures: string[] = [];
    const bodies = new Set<string>();
    let running = true;
    onTestFinished(() => void (running = false));
    const loops = Array.from({ length: 8 }, async (_, index) => {
      while (running && !over.destroyed) {
        const { status, body, code } = await ask(
          over,
          index % 2 === 0 ? {} : { ':method': 'POST' },
          index % 2 === 0 ? undefined : 'body',
        );
        if (status !== 200 || code !== 0) failures.push(`${status} ${code}`);
        bodies.add(body);
      }
    });
    for (const [index, weight] of [100, 50, 0, 10, 100, 0].entries()) {
      await edge.set(3 + index, shares(weight));
      await sleep(100);
    }
    running = false;
    await Promise.all(loops);
    expect(failures).toEqual([]);
    expect(bodies).toEqual(new Set(['one', 'two']));
    // More than a client may give up: none of these counts as given up.
    for (let i = 0; i < 300; i++) expect((await ask(over, { ':method': 'POST' }, 'body')).status).toBe(200);
    const { releases } = await edge.stats();
    expect(releases.map(({ clientAborts, inFlight }) => [clientAborts, inFlight])).toEqual(releases.map(() => [0, 0]));
  });
});
