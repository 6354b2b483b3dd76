import { createHash, createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import { startLoad } from '../support/load/load.ts';
import { withDefaults } from '../support/load/options.ts';
import type { LoadOptions, RequestKind } from '../support/load/options.ts';
import type { LoadReport } from '../support/load/report.ts';
import { spawnLoad } from '../support/load/spawn-load.ts';
import { waitFor } from '../support/wait.ts';

const get: RequestKind = { name: 'get', weight: 1, method: 'GET', path: '/' };
const post: RequestKind = { name: 'post', weight: 1, method: 'POST', path: '/', json: { a: 1 } };
/** For tests of sockets and streams: plain requests stay out of the way. */
const quiet = { mix: [{ ...get, path: '/quiet' }], rate: 1 };

describe('a plain request fails once, and by its name, when', () => {
  const once = async (misbehave: RequestListener, options: Partial<LoadOptions> = {}) => {
    let count = 0;
    const port = await listen((req, res) => {
      req.resume();
      count += 1;
      if (count === 5) misbehave(req, res);
      else res.end('fine');
    });
    return await loadUntil(port, { mix: [get], rate: 50, ...options }, () => count >= 10);
  };

  test.each<[string, string, RequestListener]>([
    ['the connection is reset before the reply', 'reset', (req) => req.socket.resetAndDestroy()],
    ['the connection ends before the reply', 'reset', (req) => req.socket.end()],
    ['the server answers 500', '5xx', (_req, res) => res.writeHead(500).end('oh')],
    ['a proxy forgets its routes', 'status', (_req, res) => res.writeHead(404).end('who?')],
    ['a body is shorter than announced', 'truncated', (_req, res) => cutShort(res, { 'content-length': 100 })],
    ['a chunked body has no end', 'truncated', (_req, res) => cutShort(res, {})],
  ])('%s', async (_name, kind, misbehave) => {
    const report = await once(misbehave);
    expect(report.failures).toEqual({ [kind]: 1 });
    expect(report.failed).toBe(1);
    expect(report.examples).toMatchObject([{ kind, what: 'get' }]);
  });

  test('a POST is cut off: it is not sent again', async () => {
    const report = await once((req) => req.socket.destroy(), { mix: [post] });
    expect(report.failures).toEqual({ reset: 1 });
    expect(report.sent.posts).toBe(report.sent.http);
  });

  test('no reply comes in time', async () => {
    const report = await once(() => undefined, { timeoutMs: 1000 });
    expect(report.failures).toEqual({ timeout: 1 });
  });

  test('an upload arrives as something else', async () => {
    const upload: RequestKind = { ...post, name: 'upload', bytes: 10_000, echoesDigest: true };
    let count = 0;
    const port = await listen(async (req, res) => {
      const hash = createHash('sha256');
      for await (const chunk of req) hash.update(chunk);
      count += 1;
      if (count === 5) hash.update('one byte more');
      res.end(JSON.stringify({ sha256: hash.digest('hex') }));
    });
    const report = await loadUntil(port, { mix: [upload], rate: 20 }, () => count >= 10);
    expect(report.failures).toEqual({ 'wrong-body': 1 });
  });

  test('nobody listens', async () => {
    const port = await freePort();
    const report = await loadUntil(port, { mix: [get], rate: 20 }, (seen) => seen.failed >= 3);
    expect(report.failures).toEqual({ refused: report.requests });
  });
});

test('a connection that is closed just as a request is sent on it is a failure, not a second try', async () => {
  let closed = false;
  const port = await listen((req, res) => {
    const again = 'used' in req.socket;
    Object.assign(req.socket, { used: true });
    if (!again || closed) return void res.end('fine');
    closed = true;
    req.socket.resetAndDestroy();
  });
  const idle = { users: 1, gapsMs: [100] };
  const report = await loadUntil(port, { mix: [get], rate: 0.1, sessions: 1, idle }, () => closed);
  expect(report.failures).toEqual({ reset: 1 });
  expect(report.examples[0]?.detail).toContain('reused connection');
});

test('errors of a release that is bad on purpose are counted apart, those of others are not', async () => {
  let count = 0;
  const port = await listen((_req, res) => {
    count += 1;
    res.setHeader('x-app-version', count % 2 === 0 ? 'v3' : 'v2');
    res.writeHead(count === 4 || count === 5 ? 500 : 200).end();
  });
  const report = await loadUntil(port, { mix: [get], rate: 50, expectBadVersions: ['v3'] }, () => count >= 10);
  expect(report.badRelease).toEqual({ v3: 1 });
  expect(report.failures).toEqual({ '5xx': 1 });
  expect(report.examples).toMatchObject([{ version: 'v2' }]);
  expect(report.byVersion['v3']).toMatchObject({ status5xx: 1 });
  const { v2 = { requests: 0 }, v3 = { requests: 0 } } = report.byVersion;
  expect(v2.requests + v3.requests).toBe(report.requests);
  const seen = report.timeline.reduce((sum, { answered }) => sum + answered, 0);
  expect(seen).toBe(report.requests);
});

test('a session keeps its cookies and sends its token; some requests carry no cookie', async () => {
  const seen = new Map<string, Set<string>>();
  let bare = 0;
  const port = await listen((req, res) => {
    const user = userOf(req.headers.authorization, 'a secret of some length');
    const cookie = req.headers.cookie;
    if (cookie === undefined) bare += 1;
    else seen.set(user, (seen.get(user) ?? new Set()).add(cookie));
    if (cookie === undefined) res.setHeader('set-cookie', [`sid=${user}; Path=/; HttpOnly`, 'gone=1; Max-Age=0']);
    res.end();
  });
  const mix = [{ ...get, auth: true }];
  const options = { mix, rate: 100, sessions: 4, cookieless: 0.3, jwtSecret: 'a secret of some length' };
  const report = await loadUntil(port, options, () => seen.size === 4 && bare > 10);
  expect(report.failed).toBe(0);
  for (const [user, cookies] of seen) expect([...cookies]).toEqual([`sid=${user}`]);
});

describe('a WebSocket', () => {
  const wsOptions = { ...quiet, ws: { path: '/ws', count: 2, everyMs: 20, echo: true } };
  const echo = async () => {
    const { server, port } = await listenForSockets();
    const sockets = new WebSocketServer({ server, path: '/ws' });
    sockets.on('connection', (socket) => socket.on('message', (data) => socket.send(String(data))));
    return { server, sockets, port };
  };

  test('that is told to come back (1012), and can, is no failure', async () => {
    const { sockets, port } = await echo();
    let told = false;
    const report = await loadUntil(port, wsOptions, ({ ws }) => {
      if (ws.echoes > 5 && !told) for (const socket of sockets.clients) socket.close(1012);
      told ||= ws.echoes > 5;
      return ws.reconnects >= 2 && ws.echoes > 20;
    });
    expect(report.failed).toBe(0);
    expect(report.ws).toMatchObject({ opened: 4, reconnects: 2, closes: { '1012': 2 } });
  });

  test.each<[string, (socket: WebSocket) => void]>([
    ['that is cut off', (socket) => socket.terminate()],
    ['that is closed for another reason', (socket) => socket.close(1011)],
  ])('%s is one failure', async (_name, end) => {
    const { sockets, port } = await echo();
    let ended = false;
    const report = await loadUntil(port, wsOptions, ({ ws }) => {
      const [socket] = sockets.clients;
      if (ws.echoes > 5 && !ended && socket) end(socket);
      ended ||= ws.echoes > 5;
      return ws.opened === 3 && ws.echoes > 20;
    });
    expect(report.failures).toEqual({ 'ws-abnormal': 1 });
  });

  test('that cannot come back at the first try is one failure, however often it tries', async () => {
    const { sockets, port } = await echo();
    let refused = 0;
    sockets.shouldHandle = () => !(told && refused++ < 2);
    let told = false;
    const report = await loadUntil(port, { ...wsOptions, ws: { ...wsOptions.ws, count: 1 } }, ({ ws }) => {
      if (ws.echoes > 5 && !told) for (const socket of sockets.clients) socket.close(1001);
      told ||= ws.echoes > 5;
      return ws.opened === 2;
    });
    expect(report.failures).toEqual({ 'ws-reconnect': 1 });
    expect(report.sent.ws).toBe(4);
  });

  test('that loses an echo is one failure', async () => {
    const { sockets, port } = await echo();
    sockets.removeAllListeners('connection');
    sockets.on('connection', (socket) =>
      socket.on('message', (data) => !String(data).includes('"seq":3}') && socket.send(String(data))),
    );
    const report = await loadUntil(
      port,
      { ...wsOptions, ws: { ...wsOptions.ws, count: 1 } },
      ({ ws }) => ws.echoes > 5,
    );
    expect(report.failures).toEqual({ 'ws-lost-echo': 1 });
  });
});

describe('an event stream', () => {
  const sse = { path: '/events', count: 1, contiguous: true };

  test('that ends between events and resumes is no failure', async () => {
    let ended = false;
    const port = await listen(
      stream((id, res) => {
        if (id !== 5 || ended) return void res.write(event(id));
        ended = true;
        res.end();
      }),
    );
    const report = await loadUntil(port, { ...quiet, sse }, (seen) => seen.sse.events > 10);
    expect(report.failed).toBe(0);
    expect(report.sse).toMatchObject({ opened: 2, reconnects: 1, lost: 0, duplicates: 0 });
  });

  test('that leaves an event out is one failure', async () => {
    const port = await listen(stream((id, res) => void (id === 5 ? undefined : res.write(event(id)))));
    const report = await loadUntil(port, { ...quiet, sse }, (seen) => seen.sse.events > 10);
    expect(report.failures).toEqual({ 'sse-lost-event': 1 });
    expect(report.sse.lost).toBe(1);
  });

  test('that leaves an event out while it is away is one failure', async () => {
    let away = false;
    const port = await listen(
      stream((id, res, state) => {
        if (id === 5 && !away) {
          away = true;
          return void res.end();
        }
        if (id === 5) state.id += 1;
        res.write(event(state.id));
      }),
    );
    const report = await loadUntil(port, { ...quiet, sse }, (seen) => seen.sse.events > 10);
    expect(report.failures).toEqual({ 'sse-lost-event': 1 });
  });

  test('that is cut inside an event is one failure', async () => {
    let cut = false;
    const port = await listen(
      stream((id, res) => {
        if (id !== 5 || cut) return void res.write(event(id));
        cut = true;
        res.write('id: 5\nda', () => res.socket?.end());
      }),
    );
    const report = await loadUntil(port, { ...quiet, sse }, (seen) => seen.sse.events > 10);
    expect(report.failures).toEqual({ truncated: 1 });
  });

  test('that is answered 503 until the server is back is one failure', async () => {
    let opened = 0;
    let refused = 0;
    const events = stream((id, res) => void (id === 5 && opened === 1 ? res.end() : res.write(event(id))));
    const port = await listen((req, res) => {
      if (req.url === '/quiet') return void res.end();
      if (opened === 1 && refused++ < 3) return void res.writeHead(503).end();
      opened += 1;
      void events(req, res);
    });
    const report = await loadUntil(port, { ...quiet, sse }, (seen) => seen.sse.events > 10);
    expect(report.failures).toEqual({ '5xx': 1 });
    expect(report.byStatus['503']).toBe(3);
  });

  test('that has not shown an event which a reply had promised is one failure', async () => {
    const promise: RequestKind = { ...post, path: '/promise', eventIdAt: 'id' };
    const events = stream((id, res) => void (id > 3 ? undefined : res.write(event(id))));
    const port = await listen((req, res) => {
      req.resume();
      if (req.url === '/promise') res.end(JSON.stringify({ id: 4 }));
      else void events(req, res);
    });
    const report = await loadUntil(port, { mix: [promise], rate: 20, sse }, (seen) => seen.sse.events >= 3);
    expect(report.failures).toEqual({ 'sse-lost-event': 1 });
  });
});

test('in a process of its own it sends at its rate, reports progress, and keeps the secret out of its arguments', async () => {
  let users = 0;
  const port = await listen((req, res) => {
    if (userOf(req.headers.authorization, 'a secret of some length') !== '') users += 1;
    res.setHeader('x-app-version', 'v1').end();
  });
  const load = await spawnLoad(
    withDefaults({
      target: { host: '127.0.0.1', port },
      mix: [{ ...get, auth: true }],
      rate: 100,
      jwtSecret: 'a secret of some length',
    }),
  );
  expect(readFileSync(`/proc/${load.pid}/cmdline`, 'utf8')).not.toContain('a secret');
  await waitFor(() => (load.progress()?.requests ?? 0) > 50, { what: 'progress' });
  const report = await load.stop();
  expect(report.failed).toBe(0);
  expect(report.requests).toBe(users);
  expect(report.byVersion['v1']?.requests).toBe(users);
  expect(report.lateness.requests).toBe(users);
});

async function loadUntil(
  port: number,
  options: Partial<LoadOptions> & Pick<LoadOptions, 'mix'>,
  enough: (report: LoadReport) => boolean,
): Promise<LoadReport> {
  const load = await startLoad(withDefaults({ target: { host: '127.0.0.1', port }, sessions: 3, ...options }));
  try {
    await waitFor(() => enough(load.snapshot()), { what: 'the load to have seen it' });
  } finally {
    await load.stop();
  }
  return await load.stop();
}

async function listen(listener: (req: IncomingMessage, res: ServerResponse) => unknown): Promise<number> {
  const server = createServer(listener);
  // What closes a connection in these tests is the test.
  server.keepAliveTimeout = 60_000;
  return await listenOn(server);
}

async function listenForSockets(): Promise<{ server: Server; port: number }> {
  const server = createServer((_req, res) => res.end());
  return { server, port: await listenOn(server) };
}

async function listenOn(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => sockets.add(socket.on('close', () => sockets.delete(socket))));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
  });
  return (server.address() as AddressInfo).port;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function cutShort(res: ServerResponse, headers: Record<string, number>): void {
  res.writeHead(200, headers);
  res.write('only this', () => res.socket?.end());
}

/** Sends an event every few milliseconds, beginning after `Last-Event-ID`; other paths get an empty reply. */
function stream(next: (id: number, res: ServerResponse, state: { id: number }) => void) {
  return async (req: IncomingMessage, res: ServerResponse) => {
    if (req.url !== '/events') return void res.end();
    const state = { id: Number(req.headers['last-event-id'] ?? 0) };
    res.writeHead(200, { 'content-type': 'text/event-stream' });
    while (!res.destroyed && !res.writableEnded) {
      state.id += 1;
      next(state.id, res, state);
      await sleep(10);
    }
  };
}

function event(id: number): string {
  return `id: ${id}\nevent: message\ndata: {}\n\n`;
}

/** The user whom a token names, if its signature is right. */
function userOf(authorization: string | undefined, secret: string): string {
  const [header, claims = '', signature] = (authorization ?? '').replace('Bearer ', '').split('.');
  const expected = createHmac('sha256', secret).update(`${header}.${claims}`).digest('base64url');
  if (signature !== expected) return '';
  return (JSON.parse(Buffer.from(claims, 'base64url').toString()) as { sub: string }).sub;
}
