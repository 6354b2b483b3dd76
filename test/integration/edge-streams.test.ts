import { once } from 'node:events';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { onTestFinished, describe, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { EdgeHarness, freePort, send, service } from '../support/edge-harness.ts';
import { upstream } from '../support/edge-upstream.ts';
import { waitFor } from '../support/wait.ts';

async function echoServer(name: string) {
  const made = await upstream(name);
  const sockets = new WebSocketServer({ server: made.server });
  sockets.on('connection', (socket) => {
    socket.send(`hello from ${name}`);
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
  onTestFinished(() => {
    for (const socket of sockets.clients) socket.terminate();
    sockets.close();
  });
  return { ...made, sockets };
}

async function open(port: number, options: { headers?: Record<string, string> } = {}) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`, options);
  const messages: string[] = [];
  socket.on('message', (data) => messages.push(String(data)));
  await once(socket, 'open');
  return { socket, messages };
}

describe('WebSockets', () => {
  test('pass both ways, large messages whole, and are told 1012 when their instance drains', async () => {
    const edge = new EdgeHarness();
    await edge.start();
    const [first, second] = [await echoServer('a'), await echoServer('b')];
    const port = await freePort();
    const at = (draining: boolean) =>
      service('ws', port, [
        {
          release: 'ws@1',
          weight: 100,
          ports: draining ? [second.port] : [first.port],
        },
      ]);
    await edge.set(1, at(false));
    await edge.healthy(`ws@1-${first.port}`);
    const { socket, messages } = await open(port);
    const large = 'x'.repeat(300_000);
    socket.send(large);
    await waitFor(() => messages.includes(large), { what: 'the echo of a large message' });
    expect(messages[0]).toBe('hello from a');
    expect((await edge.release('ws@1')).websockets).toBe(1);

    // The server is in the middle of sending while the drain begins: nothing is cut within a message.
    const flood = setInterval(() => {
      for (const client of first.sockets.clients) client.send('y'.repeat(100_000));
    }, 1);
    onTestFinished(() => clearInterval(flood));
    const closed = once(socket, 'close');
    await edge.set(2, at(true));
    const [code] = await closed;
    clearInterval(flood);
    expect(code).toBe(1012);
    expect(messages.slice(2).filter((message) => message.length !== 100_000)).toEqual([]);
    await waitFor(() => first.sockets.clients.size === 0, { what: 'the server to see its client go' });
    await edge.healthy(`ws@1-${second.port}`);
    const again = await open(port);
    await waitFor(() => again.messages[0] === 'hello from b', { what: 'the other instance to answer' });
    again.socket.close();
    await once(again.socket, 'close');
    await waitFor(async () => (await edge.release('ws@1')).websockets === 0, { what: 'no WebSocket to be counted' });
  });

  test('follow the share to another release and back, while both stay hot', async () => {
    const edge = new EdgeHarness();
    await edge.start();
    const [first, second] = [await echoServer('old'), await echoServer('new')];
    const port = await freePort();
    const weigh = (old: number, fresh: number) =>
      service('ws', port, [
        { release: 'ws@1', weight: old, ports: [first.port] },
        { release: 'ws@2', weight: fresh, ports: [second.port] },
      ]);
    const held = async () => [(await edge.release('ws@1')).websockets, (await edge.release('ws@2')).websockets];
    await edge.set(1, weigh(100, 0));
    await edge.healthy(`ws@1-${first.port}`);
    await edge.healthy(`ws@2-${second.port}`);

    const before = await Promise.all(Array.from({ length: 5 }, () => open(port)));
    const codes = Promise.all(before.map(async ({ socket }) => (await once(socket, 'close'))[0] as number));
    // A canary takes nobody's connection away.
    await edge.set(2, weigh(50, 50));
    expect(await held()).toEqual([5, 0]);
    await edge.set(3, weigh(0, 100));
    expect(await codes).toEqual([1012, 1012, 1012, 1012, 1012]);

    const moved = await open(port);
    await waitFor(() => moved.messages[0] === 'hello from new', { what: 'the new release to answer' });
    const back = once(moved.socket, 'close');
    await edge.set(4, weigh(100, 0));
    expect((await back)[0]).toBe(1012);
    const again = await open(port);
    await waitFor(() => again.messages[0] === 'hello from old', { what: 'the old release to answer' });
    // It has its share again, and nothing ends what is opened there.
    await edge.set(5, weigh(100, 0));
    again.socket.send('still here');
    await waitFor(() => again.messages.includes('still here'), { what: 'an echo' });
    expect(await held()).toEqual([1, 0]);
    again.socket.close();
    await once(again.socket, 'close');
  });

  test('a server that declines the upgrade is heard', async () => {
    const edge = new EdgeHarness();
    await edge.start();
    const api = await upstream('api');
    api.server.on('upgrade', (_req, socket) => socket.end('HTTP/1.1 401 Unauthorized\r\ncontent-length: 2\r\n\r\nno'));
    const port = await freePort();
    await edge.set(1, service('api', port, [{ release: 'api@1', weight: 100, ports: [api.port] }]));
    await edge.healthy(`api@1-${api.port}`);
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`);
    socket.on('error', () => undefined);
    const [, reply] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage];
    expect(reply.statusCode).toBe(401);
    socket.terminate();
    expect((await edge.release('api@1')).classes).toEqual([0, 0, 0, 1, 0]);
  });

  test('an upgrade to anything else is an ordinary request', async () => {
    const edge = new EdgeHarness();
    await edge.start();
    const api = await upstream('api');
    const port = await freePort();
    await edge.set(1, service('api', port, [{ release: 'api@1', weight: 100, ports: [api.port] }]));
    const reply = await send({
      port,
      headers: { connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c', 'http2-settings': 'AA' },
    });
    expect(reply.body).toBe('api');
    expect(api.requests[0]?.headers.upgrade).toBeUndefined();
    expect(api.requests[0]?.headers['http2-settings']).toBeUndefined();
  });
});

describe('event streams', () => {
  test('arrive as they are sent, and end between two events when the instance drains', async () => {
    const edge = new EdgeHarness();
    await edge.start();
    const stream = await upstream('sse', (_req, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      let id = 0;
      // Each event comes in two halves, so most moments are in the middle of one. One timer at a time: a late one must
      // not let two events mix.
      let timer: NodeJS.Timeout;
      const begin = () => {
        res.write(`id: ${id}\ndata: first half of ${id}\n`);
        timer = setTimeout(end, 5);
      };
      const end = () => {
        res.write(`data: second half of ${id++}\n\n`);
        timer = setTimeout(begin, 7);
      };
      begin();
      res.on('close', () => clearTimeout(timer));
    });
    const next = await upstream('next');
    const port = await freePort();
    await edge.set(1, service('sse', port, [{ release: 'sse@1', weight: 100, ports: [stream.port] }]));
    await edge.healthy(`sse@1-${stream.port}`);
    const texts = Array.from({ length: 5 }, () => {
      let text = '';
      const req = request({ host: '127.0.0.1', port, agent: false });
      const ended = new Promise<string>((resolve, reject) => {
        req.on('error', reject);
        req.on('response', (res) => {
          res.on('data', (chunk: Buffer) => (text += String(chunk)));
          res.on('error', reject);
          res.on('end', () => resolve(text));
        });
      });
      req.end();
      return { ended, length: () => text.length };
    });
    await waitFor(() => texts.every(({ length }) => length() > 200), { what: 'events to arrive' });
    await edge.set(2, service('sse', port, [{ release: 'sse@2', weight: 100, ports: [next.port] }]));
    for (const { ended } of texts)
      expect(await ended).toMatch(/^(id: \d+\ndata: first half of \d+\ndata: second half of \d+\n\n)+$/);
    const counts = await edge.release('sse@1');
    expect([counts.requests, counts.bad, counts.clientAborts]).toEqual([5, 0, 0]);
  });
});
