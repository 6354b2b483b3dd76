import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { behindEdge, fds, open, rss } from '../support/edge-client.ts';
import { EdgeHarness, send, service } from '../support/edge-harness.ts';
import { guarded } from '../support/edge-policy.ts';
import { upstream } from '../support/edge-upstream.ts';
import { waitFor } from '../support/wait.ts';
import { freePort } from '../support/free-port.ts';

describe('a client that is busy sending', () => {
  /** Reads nothing before all of it is on its way. */
  async function sends(port: number, head: string, rest: Buffer): Promise<string> {
    const socket = connect({ port, host: '127.0.0.1' });
    onTestFinished(() => void socket.destroy());
    socket.pause();
    socket.write(head, 'latin1');
    await new Promise<void>((resolve, reject) => socket.write(rest, (error) => (error ? reject(error) : resolve())));
    let answer = '';
    for await (const chunk of socket) answer += String(chunk);
    return answer;
  }
  const much = Buffer.alloc(16 * 1024 * 1024, 'x');
  const chunked = Buffer.concat([Buffer.from(`${much.length.toString(16)}\r\n`), much]);

  test('still reads why it is refused, and its connection ends then', async () => {
    const { edge, port, pid } = await guarded([{ maxBody: 1000 }], {}, (req) => void req.resume());
    const before = fds(pid);
    const post = (framing: string): string => `POST / HTTP/1.1\r\nhost: x\r\n${framing}\r\n\r\n`;
    expect(await sends(port, post(`content-length: ${much.length}`), much)).toMatch(/^HTTP\/1\.1 413 /);
    expect(await sends(port, post('transfer-encoding: chunked'), chunked)).toMatch(/^HTTP\/1\.1 413 /);
    expect(await sends(port, 'GET / HTTP/1.1\r\nhost: x\r\ncookie: ', much)).toMatch(/^HTTP\/1\.1 431 /);
    await waitFor(() => fds(pid) <= before + 2, { what: 'the connections to be closed' });
    expect(await edge.release('api@1')).toMatchObject({ bad: 0, inFlight: 0 });
  });

  test('and never ends is read no further after a while', async () => {
    const { port, pid } = await guarded([{ maxBody: 1000 }], {}, (req) => void req.resume());
    const before = fds(pid);
    const { socket, closed, answer } = open(port);
    socket.write('POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n');
    const more = setInterval(() => socket.destroyed || socket.write('3e8\r\n' + 'x'.repeat(1000) + '\r\n'), 5);
    await closed;
    clearInterval(more);
    expect(answer()).toMatch(/^HTTP\/1\.1 413 /);
    await waitFor(() => fds(pid) <= before + 2, { what: 'the connection to be closed' });
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
          setTimeout(() => req.resume(), 20);
        });
        req.on('end', () => res.end(String(read)));
      },
      {},
      { timeoutMs: 5_000 },
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
