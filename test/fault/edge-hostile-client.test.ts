import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { EdgeHarness, freePort, send, service } from '../support/edge-harness.ts';
import { upstream } from '../support/edge-upstream.ts';
import { waitFor } from '../support/wait.ts';

async function behindEdge(
  handler: Parameters<typeof upstream>[1],
  env: Record<string, string> = {},
  changes: Parameters<typeof service>[3] = {},
) {
  const edge = new EdgeHarness(env);
  const { pid } = await edge.start();
  const api = await upstream('api', handler);
  const port = await freePort();
  await edge.set(1, service('api', port, [{ release: 'api@1', weight: 100, ports: [api.port] }], changes));
  await edge.healthy(`api@1-${api.port}`);
  return { edge, api, port, pid };
}

function open(port: number): { socket: Socket; answer: () => string; closed: Promise<unknown> } {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  onTestFinished(() => void socket.destroy());
  let answer = '';
  socket.setEncoding('latin1');
  socket.on('data', (chunk: string) => (answer += chunk));
  socket.on('end', () => socket.end());
  socket.on('error', () => undefined);
  return { socket, answer: () => answer, closed: new Promise((resolve) => socket.once('close', resolve)) };
}

async function raw(port: number, text: string): Promise<string> {
  const { socket, answer, closed } = open(port);
  socket.write(text, 'latin1');
  await closed;
  return answer();
}

const fds = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length;
/** Resident memory, MiB. */
const rss = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

describe('pipelined requests', () => {
  test('are asked one after the other, and answered in order', async () => {
    let atOnce = 0;
    let most = 0;
    const { api, port } = await behindEdge((req, res) => {
      most = Math.max(most, ++atOnce);
      setTimeout(() => {
        atOnce--;
        res.end(`<${req.url}>`);
      }, 20);
    });
    const requests = Array.from(
      { length: 20 },
      (_, i) => `POST /${i} HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\nhi`,
    );
    requests.push('GET /last HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
    const answer = await raw(port, requests.join(''));
    const paths = [...Array.from({ length: 20 }, (_, i) => `/${i}`), '/last'];
    expect([...answer.matchAll(/<(\S+)>/g)].map(([, path]) => path)).toEqual(paths);
    expect(api.requests.map(({ url }) => url)).toEqual(paths);
    expect(most).toBe(1);
  });

  test('without end are cut off, and cost others nothing', async () => {
    const { edge, api, port, pid } = await behindEdge((req, res) => {
      if (req.url !== '/slow') res.end('ok');
    });
    const { socket, closed } = open(port);
    const before = rss(pid);
    socket.write('GET /slow HTTP/1.1\r\nhost: x\r\n\r\n');
    await waitFor(() => api.requests.length === 1, { what: 'the slow request' });
    const many = 'GET /x HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(1_000);
    const flood = setInterval(() => socket.destroyed || socket.write(many), 1);
    await closed;
    clearInterval(flood);
    expect(rss(pid) - before).toBeLessThan(100);
    expect((await send({ port })).body).toBe('ok');
    expect(api.requests.length).toBe(2);
    await waitFor(async () => (await edge.release('api@1')).inFlight === 0, { what: 'nothing to be in flight' });
  });

  test('a WebSocket behind a request that is not answered yet ends that connection alone', async () => {
    const { edge, port } = await behindEdge(
      (req, res) => void setTimeout(() => res.end('ok'), req.url === '/slow' ? 300 : 0),
    );
    await raw(
      port,
      'GET /slow HTTP/1.1\r\nhost: x\r\n\r\nGET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
    );
    expect((await send({ port })).body).toBe('ok');
    await waitFor(async () => (await edge.release('api@1')).inFlight === 0, { what: 'nothing to be in flight' });
    expect(edge.log).not.toContain('unexpected');
  });

  test('what follows a request that says it is the last is not read, and does not harm its reply', async () => {
    const { api, port } = await behindEdge((_req, res) => void setTimeout(() => res.end('ok'), 100));
    const answer = await raw(
      port,
      'GET /1 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\nGET /2 HTTP/1.1\r\nhost: x\r\n\r\n',
    );
    expect(answer).toMatch(/^HTTP\/1\.1 200 [^]*ok$/);
    expect(api.requests.map(({ url }) => url)).toEqual(['/1']);
  });
});

describe('a request that could mean two things', () => {
  const odd = [
    ['two hosts', 'GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\nconnection: close\r\n\r\n'],
    ['two equal hosts', 'GET / HTTP/1.1\r\nHost: a\r\nhOST: a\r\nconnection: close\r\n\r\n'],
    ['somebody in the address', 'GET http://me@a/ HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n'],
    ['an address without host', 'GET http:///a HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n'],
    ['another scheme', 'GET ftp://a/ HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n'],
    ['bare line feeds', 'GET / HTTP/1.1\nhost: a\n\n'],
    ['a NUL in a header', 'GET / HTTP/1.1\r\nhost: a\r\nx: 1\u00002\r\n\r\n'],
    ['a length that is none', 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: +2\r\n\r\nhi'],
    ['a negative length', 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: -2\r\n\r\nhi'],
    ['two lengths in one', 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 2, 2\r\n\r\nhi'],
    [
      'chunks, twice',
      'POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked, chunked\r\nconnection: close\r\n\r\n0\r\n\r\n',
    ],
    ['chunks, but not last', 'POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n'],
    [
      'a chunk that ends in a bare line feed',
      'POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n2\nhi\r\n0\r\n\r\n',
    ],
    [
      'a WebSocket with a body',
      'GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\ncontent-length: 2\r\n\r\nhi',
    ],
  ] as const;
  test.each(odd)('is refused: %s', async (_name, text) => {
    const { edge, api, port } = await behindEdge((_req, res) => res.end('seen'));
    const answer = await raw(port, text);
    expect(answer).toMatch(/^HTTP\/1\.1 (400|501) /);
    expect(answer.match(/HTTP\/1\.1/g)?.length).toBe(1);
    expect(api.requests).toEqual([]);
    expect(edge.log).not.toContain('unexpected');
  });

  test('an absolute address counts for more than the header, and capitals and ports do not count', async () => {
    const edge = new EdgeHarness();
    await edge.start();
    const [api, other] = [
      await upstream('api', (req, res) => res.end(`${req.url} ${req.headers.host}`)),
      await upstream('other'),
    ];
    const port = await freePort();
    const at = (name: string, host: string, ports: number[]) =>
      service(name, null, [{ release: `${name}@1`, weight: 100, ports }], { routes: [{ port, host, path: '/' }] });
    await edge.set(1, at('api', 'a.example', [api.port]), at('other', 'b.example', [other.port]));
    await edge.healthy(`api@1-${api.port}`, `other@1-${other.port}`);
    const body = async (text: string) => (await raw(port, text)).split('\r\n\r\n')[1];
    expect(await body('GET http://A.Example:81/x?y HTTP/1.1\r\nhost: b.example\r\nconnection: close\r\n\r\n')).toBe(
      '/x?y A.Example:81',
    );
    expect(await body('GET http://a.example?y HTTP/1.1\r\nhost: b.example\r\nconnection: close\r\n\r\n')).toBe(
      '/?y a.example',
    );
    expect(await body('GET /x HTTP/1.1\r\nhost: A.EXAMPLE.:80\r\nconnection: close\r\n\r\n')).toBe('/x A.EXAMPLE.:80');
    expect(await body('GET / HTTP/1.1\r\nhost: c.example\r\nconnection: close\r\n\r\n')).toContain('404');
  });

  test('headers that become another one where underscores count as dashes are left out', async () => {
    const { api, port } = await behindEdge((_req, res) => res.end('seen'));
    await send({
      port,
      headers: {
        'X_Forwarded-For': '6.6.6.6',
        x_real_ip: '6.6.6.6',
        Content_Length: '7',
        Transfer_Encoding: 'chunked',
        a_b: 'kept',
      },
    });
    const seen = api.requests[0]?.rawHeaders.join('\n') ?? '';
    expect(seen).toContain('a_b\nkept');
    expect(seen).not.toMatch(/6\.6\.6\.6|_length|_encoding/i);
  });

  test('a length behind more headers than Node looks at is a length', async () => {
    const { api, port } = await behindEdge((req, res) => {
      let body = '';
      req.on('data', (chunk: Buffer) => (body += String(chunk)));
      res.writeHead(200).flushHeaders();
      setTimeout(() => res.end(body), 50);
    });
    api.server.maxHeadersCount = 0;
    const many = 'a:1\r\n'.repeat(2_200);
    const hidden = 'GET /smuggled HTTP/1.1\r\nhost: x\r\n\r\n';
    const answer = await raw(
      port,
      `POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n${many}content-length: ${hidden.length}\r\n\r\n${hidden}`,
    );
    expect(answer).toContain('GET /smuggled');
    await send({ port, path: '/next' });
    expect(api.requests.map(({ url }) => url)).toEqual(['/', '/next']);
  });

  test('100 Continue is said to those alone who know it', async () => {
    const { port } = await behindEdge((req, res) => void req.pipe(res));
    const old = await raw(port, 'POST / HTTP/1.0\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\nhi');
    expect(old).toMatch(/^HTTP\/1\.1 200 [^]*hi$/);
    const other = await raw(
      port,
      'POST / HTTP/1.1\r\nhost: x\r\nexpect: more\r\ncontent-length: 2\r\nconnection: close\r\n\r\nhi',
    );
    expect(other).toMatch(/^HTTP\/1\.1 417 /);
  });
});

describe('a client that is slow or gone', () => {
  test('and reads nothing of a small reply is not waited for without end', async () => {
    const { edge, port, pid } = await behindEdge((_req, res) => res.end(Buffer.alloc(60_000, 'x')), {
      EVENKEEL_EDGE_STALL_MS: '500',
    });
    const before = fds(pid);
    const clients = Array.from({ length: 5 }, () => {
      const socket = connect({ port, host: '127.0.0.1' });
      onTestFinished(() => void socket.destroy());
      socket.on('error', () => undefined);
      socket.pause();
      socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(100));
      return socket;
    });
    await waitFor(async () => (await edge.release('api@1')).requests >= 5, { what: 'the requests to arrive' });
    await waitFor(() => fds(pid) <= before + 2, { what: 'the connections to be closed', timeout: 20_000 });
    for (const socket of clients) socket.destroy();
  });

  test('does not make the edge collect what a fast instance sends', async () => {
    const chunk = Buffer.alloc(256 * 1024, 'x');
    let sent = 0;
    const { port, pid } = await behindEdge((req, res) => {
      const more = (): void => {
        while (!res.destroyed && sent < 400 * 1024 * 1024) {
          sent += chunk.length;
          if (!res.write(chunk)) return void res.once('drain', more);
        }
      };
      more();
      req.on('close', () => res.destroy());
    });
    const before = rss(pid);
    const sockets = Array.from({ length: 4 }, () => connect({ port, host: '127.0.0.1' }));
    for (const socket of sockets) {
      onTestFinished(() => void socket.destroy());
      socket.pause();
      socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    }
    let last = -1;
    await waitFor(
      async () => {
        const still = sent === last && sent > 0;
        last = sent;
        await sleep(300);
        return still;
      },
      { what: 'the instance to be held back' },
    );
    expect(sent).toBeLessThan(200 * 1024 * 1024);
    expect(rss(pid) - before).toBeLessThan(60);
  });

  test('nor an instance that reads slowly make it collect an upload', async () => {
    const { port, pid } = await behindEdge((req) => void req.pause(), {}, { timeoutMs: 60_000 });
    const before = rss(pid);
    const { socket } = open(port);
    socket.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 400000000\r\n\r\n');
    const chunk = Buffer.alloc(1024 * 1024);
    let sent = 0;
    for (; sent < 400 && socket.writableLength < 8 * 1024 * 1024; sent++) {
      socket.write(chunk);
      await sleep(1);
    }
    expect(sent).toBeLessThan(200);
    expect(rss(pid) - before).toBeLessThan(60);
  });

  test('an upload that an instance takes slowly but steadily is not cut off', async () => {
    const size = 24 * 1024 * 1024;
    const { port } = await behindEdge(
      (req, res) => {
        let read = 0;
        // Slower than the client, with pauses shorter than the service's time limit but longer in sum.
        req.on('data', (chunk: Buffer) => {
          read += chunk.length;
          req.pause();
          setTimeout(() => req.resume(), 12);
        });
        req.on('end', () => res.end(String(read)));
      },
      {},
      { timeoutMs: 2_000 },
    );
    const reply = await send({ port, method: 'POST', headers: { 'content-length': size } }, Buffer.alloc(size));
    expect([reply.status, reply.body]).toEqual([200, String(size)]);
  });

  test('and sends on and on after it was answered is heard for a while, not for ever', async () => {
    const { edge, port } = await behindEdge((_req, res) => res.writeHead(413).end('too large'));
    const { socket, answer, closed } = open(port);
    socket.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100000000000\r\n\r\n');
    const chunk = Buffer.alloc(64 * 1024);
    const more = setInterval(() => socket.destroyed || socket.write(chunk), 20);
    await waitFor(() => answer().endsWith('too large\r\n0\r\n\r\n'), { what: 'the reply' });
    await closed;
    clearInterval(more);
    // One that ends its request in time goes on with the same connection.
    const decent = open(port);
    const post = 'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\nha';
    decent.socket.write(post);
    await waitFor(() => decent.answer().includes('too large'), { what: 'the early reply' });
    decent.socket.write(`lf${post}lf`);
    await waitFor(() => decent.answer().split('too large').length === 3, { what: 'the second reply' });
    decent.socket.destroy();
    expect((await edge.release('api@1')).inFlight).toBe(0);
  });

  test('and closes its half of the connection has left: the instance is told, and nothing stays open', async () => {
    let told = 0;
    const { edge, api, port } = await behindEdge((req, res) => {
      res.on('close', () => told++);
      if (req.url === '/events') res.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: x\n\n');
    });
    for (const path of ['/never', '/events']) {
      const { socket, closed } = open(port);
      socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`);
      await waitFor(() => api.requests.some(({ url }) => url === path), { what: 'the request to arrive' });
      socket.end();
      await closed;
    }
    await waitFor(() => told === 2, { what: 'the instance to be told' });
    expect(await edge.release('api@1')).toMatchObject({ bad: 0, clientAborts: 2, inFlight: 0 });
  });

  test('and keeps its connection idle loses it after a while, not before', async () => {
    const { port, api } = await behindEdge(
      (req, res) => void setTimeout(() => res.end('ok'), req.url === '/slow' ? 1_500 : 0),
      {
        EVENKEEL_EDGE_KEEP_ALIVE_MS: '300',
        EVENKEEL_EDGE_STALL_MS: '400',
      },
    );
    const { socket, answer, closed } = open(port);
    // Waiting for a reply is not idling, however long it takes.
    socket.write('GET /slow HTTP/1.1\r\nhost: x\r\n\r\n');
    await waitFor(() => answer().endsWith('ok'), { what: 'the slow reply' });
    socket.write('GET /again HTTP/1.1\r\nhost: x\r\n\r\n');
    await waitFor(() => answer().split('\r\n\r\nok').length === 3, { what: 'the second reply' });
    await closed;
    expect(api.requests.length).toBe(2);
  });

  test('is one of too many: those who are there are served, and no instance is blamed', async () => {
    const edge = new EdgeHarness();
    const { pid } = await edge.start();
    execFileSync('/usr/bin/env', ['prlimit', '--pid', String(pid), '--nofile=250:250']);
    const api = await upstream('api', (req, res) => {
      if (req.url !== '/wait') res.end('ok');
    });
    const port = await freePort();
    await edge.set(1, service('api', port, [{ release: 'api@1', weight: 100, ports: [api.port] }]));
    await edge.healthy(`api@1-${api.port}`);
    const clients = Array.from({ length: 400 }, () => open(port));
    for (const { socket } of clients) socket.write('GET /wait HTTP/1.1\r\nhost: x\r\n\r\n');
    const left = () => clients.filter(({ socket }) => !socket.destroyed);
    await waitFor(() => api.requests.length >= 70 && api.requests.length === left().length, {
      what: 'the rest to be cut off',
    });
    const { services } = await edge.state();
    expect(services[0]?.instances).toMatchObject([{ healthy: true, ejected: false, lastError: null }]);
    for (const { socket } of clients) socket.destroy();
    await waitFor(async () => (await send({ port }).catch(() => null))?.body === 'ok', { what: 'room for others' });
    expect((await edge.release('api@1')).bad).toBe(0);
  });

  test('that vanished without a word is found out: idle connections are probed', async () => {
    const { api, port, pid } = await behindEdge((_req, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.write(': hello\n\n');
    });
    const { socket, answer } = open(port);
    socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    await waitFor(() => answer().includes('hello'), { what: 'the stream to begin' });
    expect(api.requests.length).toBe(1);
    const hex = (n: number): string => n.toString(16).toUpperCase().padStart(4, '0');
    const row = readFileSync(`/proc/${pid}/net/tcp`, 'utf8')
      .split('\n')
      .find((line) => line.includes(`:${hex(port)} 0100007F:${hex(socket.localPort ?? 0)} 01 `));
    // "02:" is a running keepalive timer.
    expect(row?.trim().split(/\s+/)[5]?.slice(0, 2)).toBe('02');
  });
});
