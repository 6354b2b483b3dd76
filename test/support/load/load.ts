import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { HttpUsers } from './http-users.ts';
import type { LoadOptions } from './options.ts';
import { Recorder } from './recorder.ts';
import type { LoadReport } from './report.ts';
import { EventStreamUser } from './sse-user.ts';
import { WebSocketUser } from './websocket-user.ts';

/** How long the last events have to reach every stream after the last request was answered. */
const TAIL_MS = 3000;

export interface Load {
  /** Sends nothing new, waits for what is under way and for the last events, and tells what was seen. */
  stop(): Promise<LoadReport>;
  snapshot(): LoadReport;
}

/**
 * Puts a load on the target, in this process. Returns when WebSockets and event streams are open (or `timeoutMs` has
 * passed) and requests flow. Rollouts and measurements should be loaded from a process of its own: see `spawn-load.ts`.
 */
export async function startLoad(options: LoadOptions): Promise<Load> {
  const recorder = new Recorder(options.expectBadVersions);
  const random = mulberry32(options.seed);
  const run = randomBytes(3).toString('hex');

  let lastEventId = 0;
  const http = new HttpUsers(options, recorder, random, (id) => (lastEventId = Math.max(lastEventId, id)));
  const users = <T>(count: number | undefined, make: (name: string) => T, kind: string) =>
    Array.from({ length: count ?? 0 }, (_, i) => make(`load-${run}-${kind}-${i}`));
  const sockets = users(options.ws?.count, (name) => new WebSocketUser(options, recorder, random, name), 'ws');
  const streams = users(options.sse?.count, (name) => new EventStreamUser(options, recorder, random, name), 'sse');

  for (const user of [...sockets, ...streams]) user.start();
  const open = Promise.all([...sockets, ...streams].map((user) => user.ready));
  await within(options.timeoutMs, open);
  http.start();

  let stopped: Promise<LoadReport> | undefined;
  const stop = async () => {
    await http.stop();
    if (options.sse?.contiguous) await waitForTail(streams, lastEventId);
    await Promise.all([...sockets, ...streams].map((user) => user.stop()));
    return recorder.report();
  };
  return { stop: () => (stopped ??= stop()), snapshot: () => recorder.report() };
}

/** An event that one stream has seen, or that a reply has promised, must reach all of them. */
async function waitForTail(streams: readonly EventStreamUser[], promised: number): Promise<void> {
  const last = Math.max(promised, ...streams.map(({ lastId }) => lastId));
  const deadline = performance.now() + TAIL_MS;
  while (streams.some(({ lastId }) => lastId < last) && performance.now() < deadline) await sleep(20);
  for (const stream of streams) stream.countMissingUpTo(last);
}

async function within(ms: number, work: Promise<unknown>): Promise<void> {
  const given = new AbortController();
  await Promise.race([work, sleep(ms, undefined, { signal: given.signal }).catch(() => undefined)]);
  given.abort();
}

/** A small seeded generator, so that two runs send the same requests in the same order. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
