import { once } from 'node:events';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished, describe, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { EdgeHarness, send, service } from '../support/edge-harness.ts';
import { upstream } from '../support/edge-upstream.ts';
import { waitFor } from '../support/wait.ts';
import { freePort } from '../support/free-port.ts';

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

/** A server whose WebSockets are raw sockets after the handshake. */
async function rawWebSocket(opened: (socket: Duplex) => void) {
  const edge = new EdgeHarness({ EVENKEEL_EDGE_STALL_MS: '500' });
  const { pid } = await edge.start();
  const api = await upstream('raw');
  api.server.on('upgrade', (_req, socket) => {
    socket.on('error', () => undefined);
    socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n');
    opened(socket);
  });
  const next = await upstream('next');
  const port = await freePort();
  const at = (each: { port: number }) =>
    service('ws', port, [{ release: 'ws@1', weight: 100, ports: [each.port] }], { drainMs: 10_000 });
  await edge.set(1, at(api));
  await edge.healthy(`ws@1-${api.port}`);
  const client = connect({ port, host: '127.0.0.1' });
  onTestFinished(() => void client.destroy());
  client.on('error', () => undefined);
  client.write(
    'GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
  );
  await once(client, 'readable');
  const head = String(client.read());
  expect(head).toMatch(/^HTTP\/1\.1 101 /);
  const received: Buffer[] = [Buffer.from(head.split('\r\n\r\n')[1] ?? '', 'latin1')];
  const ended = new Promise<Buffer>((resolve) => client.on('end', () => resolve(Buffer.concat(received))));
  const read = () => client.on('data', (chunk: Buffer) => received.push(chunk));
  const count = async () => (await edge.release('ws@1')).websockets;
  return { edge, pid, client, read, ended, count, drain: () => edge.set(2, at(next)) };
}

const CLOSE_1012 = Buffer.from([0x88, 2, 3, 0xf4]);

describe('WebSockets of odd programs', () => {
  test('may be silent for longer than a client may take to read', async () => {
    let server: Duplex | undefined;
    const { client, read, count } = await rawWebSocket((socket) => (server = socket));
    read();
    await sleep(2_000); // four times the limit for readers
    const back = once(client, 'data');
    server?.write(Buffer.from([0x81, 2, 104, 105]));
    expect([...((await back)[0] as Buffer)]).toEqual([0x81, 2, 104, 105]);
    expect(await count()).toBe(1);
  });

  test('in the middle of a message without end are told 1012 between two of its frames', async () => {
    const fragment = Buffer.concat([Buffer.from([0x02, 126, 0x10, 0]), Buffer.alloc(4096, 'x')]);
    const next = Buffer.concat([Buffer.from([0x00, 126, 0x10, 0]), Buffer.alloc(4096, 'y')]);
    const { client, read, ended, drain, count } = await rawWebSocket((socket) => {
      socket.write(fragment);
      const timer = setInterval(() => socket.write(next.subarray(0, 3000)) && socket.write(next.subarray(3000)), 20);
      socket.on('close', () => clearInterval(timer));
    });
    read();
    await drain();
    const all = await ended;
    expect(all.subarray(-4)).toEqual(CLOSE_1012);
    expect((all.length - 4) % fragment.length).toBe(0);
    client.destroy();
    await waitFor(async () => (await count()) === 0, { what: 'the WebSocket to be over' });
  });

  test('in the middle of a large frame that comes slowly get all of it, then 1012', async () => {
    const size = 900_000;
    const header = Buffer.alloc(10);
    header.set([0x82, 127]);
    header.writeBigUInt64BE(BigInt(size), 2);
    const { read, ended, drain } = await rawWebSocket((socket) => {
      socket.write(header);
      let left = size;
      const timer = setInterval(() => {
        if (left <= 0) return clearInterval(timer);
        left -= 10_000;
        return socket.write(Buffer.alloc(10_000, 'z'));
      }, 25);
      socket.on('close', () => clearInterval(timer));
    });
    read();
    await drain();
    const all = await ended;
    expect(all.length).toBe(header.length + size + 4);
    expect(all.subarray(-4)).toEqual(CLOSE_1012);
  });

  test('are let go when their client takes nothing of what waits for it, or does not notice that the server left', async () => {
    const flood = await rawWebSocket((socket) => {
      const more = () => void (socket.destroyed || (socket.write(Buffer.alloc(1024 * 1024)) && setImmediate(more)));
      socket.on('drain', more);
      more();
    });
    await waitFor(async () => (await flood.count()) === 0, { what: 'the reader that does not read to be cut off' });
    const left = await rawWebSocket((socket) => void setTimeout(() => socket.end(), 100));
    left.client.allowHalfOpen = true;
    left.read();
    await waitFor(async () => (await left.count()) === 0, { what: 'the WebSocket without server to be over' });
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
