import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import type { RequestKind } from '../support/load/options.ts';
import { get, listen, listenOn, loadUntil, post } from '../support/load/trial.ts';

/** For tests of sockets and streams: plain requests stay out of the way. */
const quiet = { mix: [{ ...get, path: '/quiet' }], rate: 1 };

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

async function listenForSockets(): Promise<{ server: Server; port: number }> {
  const server = createServer((_req, res) => res.end());
  return { server, port: await listenOn(server) };
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
