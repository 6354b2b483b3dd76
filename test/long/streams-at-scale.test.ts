import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { fileURLToPath } from 'node:url';
import { onTestFinished, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { EdgeHarness, send, service } from '../support/edge-harness.ts';
import { freePort } from '../support/free-port.ts';
import { waitFor } from '../support/wait.ts';

const EACH = 1_000;
const DRAIN_MS = 10_000;
/** Time is cut into so many pieces, to see that nobody is sent away in a crowd. */
const SLICES = 10;

/** In a process of its own, so that two thousand clients do not keep it from answering checks. */
async function liveServer(): Promise<number> {
  const file = fileURLToPath(new URL('../support/live-server.ts', import.meta.url));
  const child = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return Number(String(line));
}

/** One that comes back when it is told to, and remembers how it was told. */
class SocketClient {
  readonly codes: { code: number; at: number }[] = [];
  refused = 0;
  opened = 0;
  #socket: WebSocket | null = null;
  #left = false;
  readonly #port: number;

  constructor(port: number) {
    this.#port = port;
  }

  async open(): Promise<void> {
    const socket = new WebSocket(`ws://127.0.0.1:${this.#port}/`);
    this.#socket = socket;
    socket.on('error', () => this.refused++);
    socket.on('close', (code) => {
      if (this.#left) return;
      this.codes.push({ code, at: performance.now() });
      void this.open().catch(() => undefined);
    });
    await once(socket, 'open');
    this.opened++;
  }

  leave(): void {
    this.#left = true;
    this.#socket?.terminate();
  }
}

/** Reads events, and comes back with the last number that it has. */
class StreamClient {
  lastId = 0;
  lost = 0;
  torn = 0;
  opened = 0;
  refused = 0;
  #left = false;
  #res: IncomingMessage | null = null;
  readonly #port: number;
  readonly #agent = new Agent({ keepAlive: false });

  constructor(port: number) {
    this.#port = port;
  }

  open(): Promise<void> {
    return new Promise((resolve, reject) => {
      const headers = this.lastId === 0 ? {} : { 'last-event-id': String(this.lastId) };
      const req = request({ port: this.#port, host: '127.0.0.1', path: '/events', agent: this.#agent, headers });
      req.on('error', (error) => {
        this.refused++;
        reject(error);
      });
      req.on('response', (res) => {
        this.#res = res;
        this.opened++;
        if (res.statusCode !== 200) this.refused++;
        let rest = '';
        res.setEncoding('utf8').on('data', (text: string) => {
          const blocks = (rest + text).split('\n\n');
          rest = blocks.pop() ?? '';
          for (const block of blocks) this.#event(Number(/^id: (\d+)/.exec(block)?.[1]));
        });
        res.on('error', () => undefined);
        res.on('close', () => {
          if (this.#left) return;
          if (!res.complete || rest !== '') this.torn++;
          void this.open().catch(() => undefined);
        });
        resolve();
      });
      req.end();
    });
  }

  #event(id: number): void {
    if (this.lastId > 0 && id > this.lastId + 1) this.lost += id - this.lastId - 1;
    this.lastId = Math.max(this.lastId, id);
  }

  leave(): void {
    this.#left = true;
    this.#res?.destroy();
    this.#agent.destroy();
  }
}

test(`${EACH} WebSockets and ${EACH} event streams move to the next edge without a loss, and not in a crowd`, async () => {
  const edge = new EdgeHarness({ EVENKEEL_EDGE_DRAIN_MS: String(DRAIN_MS) });
  const former = await edge.start();
  const live = await liveServer();
  const port = await freePort();
  await edge.set(1, service('live', port, [{ release: 'live@1', weight: 100, ports: [live] }]));
  await edge.healthy(`live@1-${live}`);
  const sockets = Array.from({ length: EACH }, () => new SocketClient(port));
  const streams = Array.from({ length: EACH }, () => new StreamClient(port));
  onTestFinished(() => [...sockets, ...streams].forEach((each) => each.leave()));
  // A hundred at a time: a server's backlog is what it is.
  for (let at = 0; at < EACH; at += 100)
    await Promise.all([...sockets.slice(at, at + 100), ...streams.slice(at, at + 100)].map((each) => each.open()));

  const began = performance.now();
  await edge.handOver(former);
  await former.exited;
  await waitFor(() => [...sockets, ...streams].every(({ opened }) => opened === 2), {
    what: 'everybody to be back',
    timeout: 60_000,
  });
  const upTo = Number((await send({ port, path: '/sent' })).body);
  await waitFor(() => streams.every(({ lastId }) => lastId >= upTo), { what: 'the last event', timeout: 30_000 });

  const ends = sockets.flatMap(({ codes }) => codes);
  const told = Map.groupBy(ends, ({ code }) => code);
  const span = Math.max(...ends.map(({ at }) => at)) - began;
  const slices = Array.from({ length: SLICES }, (_, slice) =>
    ends.filter(({ at }) => Math.min(SLICES - 1, Math.floor(((at - began) / span) * SLICES)) === slice),
  );
  console.log(
    `${EACH} WebSockets: ${told.get(1012)?.length ?? 0} told 1012 over ${Math.round(span)} ms, at most ${Math.max(...slices.map((each) => each.length))} in a tenth of it; ` +
      `${EACH} streams: ${streams.reduce((sum, { lost }) => sum + lost, 0)} events lost, ${streams.reduce((sum, { torn }) => sum + torn, 0)} ended inside an event`,
  );
  expect([...told.keys()]).toEqual([1012]);
  expect(sockets.reduce((sum, { refused }) => sum + refused, 0)).toBe(0);
  expect(streams.reduce((sum, { refused, lost, torn }) => sum + refused + lost + torn, 0)).toBe(0);
  expect(Math.max(...slices.map((each) => each.length))).toBeLessThan(EACH / 2);
});
