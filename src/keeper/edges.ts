import type { NodeChild } from '../platform/child.ts';
import type { EdgeToKeeper, KeeperToEdge, PortBinding } from '../platform/ipc-messages.ts';
import { describeExit } from './describe-exit.ts';
import type { Say } from './keeper-log.ts';
import type { HeldPort, Listeners } from './listeners.ts';
import { watch } from '../platform/watchdog.ts';

type EdgeChild = NodeChild<EdgeToKeeper, KeeperToEdge>;

interface Edge {
  child: EdgeChild;
  /** Ids of the ports whose sockets it was given. */
  given: Set<string>;
  leaving: boolean;
}

interface Outcome {
  ok: boolean;
  reason: string;
}

/** How long an edge that did not become ready in time may take to go, ms. */
const MERCY = 1_000;
/** How long an edge that has drained may take to end, ms. */
const LINGER = 5_000;

export interface EdgesOptions {
  start: () => Promise<EdgeChild>;
  listeners: Listeners;
  /** Told of a new edge; it gets no socket until this has resolved. */
  beginning: (pid: number) => Promise<void>;
  /** Told which edge serves from now on; null when none does. */
  serving: (pid: number | null) => void;
  /** Until a new edge must be ready, ms. */
  readyMs: number;
  /** Until one that drains must be gone, ms; then it is killed. */
  drainMs: number;
  /** How long one that was ready may be silent before it is killed, ms; 0 for ever. */
  silenceMs: number;
  say: Say;
}

export interface Edges {
  /** A life of the serving edge, for `keepRunning`: starts one unless one serves, and tells how the last one ended. */
  live(): Promise<string>;
  /** Puts a new edge in the place of the serving one; that one stays when the new one does not become ready. */
  handOver(): Promise<Outcome>;
  offer(port: HeldPort): void;
  /** Tells all to drain, and resolves when they are gone, at the latest shortly after `ms`. */
  stop(ms: number): Promise<void>;
  kill(): void;
}

/** The edge that serves, the one that is to follow it, and those that drain. */
export function edges({ start, listeners, beginning, serving, readyMs, drainMs, silenceMs, say }: EdgesOptions): Edges {
  const living = new Set<Edge>();
  let current: Edge | null = null;
  let starting: Promise<Outcome> | null = null;
  let stopping = false;

  /** Starts an edge with every socket; it becomes the current one when it is ready, and the former one drains. */
  const bringUp = async (): Promise<Outcome> => {
    const edge: Edge = { child: await start(), given: new Set(), leaving: false };
    const { child } = edge;
    if (stopping) child.kill('SIGKILL'); // told to stop while it was being started
    living.add(edge);
    const ended = child.exited.then((exit) => {
      living.delete(edge);
      return describeExit(exit);
    });
    const known = beginning(child.pid);
    const ready = new Promise<null>((resolve) => {
      child.onMessage((message) => {
        if (message.type === 'ready') resolve(null);
        else if (message.type === 'need')
          void known.then(() => answerNeed(edge, message.ports, listeners, edge === current));
        else if (message.type === 'drained') void after(LINGER, null).then(() => child.kill('SIGKILL')); // drained: nothing is lost with it
      });
    });
    await known;
    for (const port of listeners.all()) give(edge, port);
    child.send({ type: 'listen-all' });
    const failure = await Promise.race([ready, ended, after(readyMs, `not ready within ${readyMs} ms`)]);
    if (failure !== null) {
      // One that listens already, and only does not say so, may have taken requests.
      await leave(edge, 'drain', MERCY, say);
      return { ok: false, reason: `edge ${child.pid} failed to start: ${failure}` };
    }
    watch(child, { silenceMs, hung: (reason) => say(`edge ${child.pid} ${reason}`) });
    const former = current;
    current = edge;
    serving(child.pid);
    if (former !== null) void leave(former, 'drain', drainMs, say);
    return { ok: true, reason: `edge ${child.pid} serves` };
  };

  const bringUpOnce = (): Promise<Outcome> => {
    starting ??= bringUp()
      .catch((error: unknown) => ({ ok: false, reason: `no edge could be started: ${String(error)}` }))
      .finally(() => (starting = null));
    return starting;
  };

  return {
    async live() {
      if (current === null) {
        const { ok, reason } = await bringUpOnce();
        if (!ok) return reason;
        say(reason);
      }
      for (let watched: Edge | null = current; watched !== null; watched = current) {
        const exit = await watched.child.exited;
        if (current !== watched) continue; // it was replaced, and drained
        current = null;
        serving(null);
        // A hand-over that is under way ends the gap sooner than a new start would.
        await starting;
        if (current === null) return `edge ${watched.child.pid} ended: ${describeExit(exit)}`;
      }
      return 'no edge serves';
    },
    async handOver() {
      await starting;
      if (stopping) return { ok: false, reason: 'the keeper is stopping' };
      const outcome = await bringUpOnce();
      say(`hand-over: ${outcome.reason}`);
      return outcome;
    },
    offer(port) {
      for (const edge of living) if (!edge.leaving) give(edge, port);
    },
    async stop(ms) {
      stopping = true;
      await Promise.all([starting, ...[...living].map((edge) => leave(edge, 'shutdown', ms, say))]);
    },
    kill() {
      for (const { child } of living) child.kill('SIGKILL');
    },
  };
}

function give({ child, given }: Edge, { id, port, bind, handle }: HeldPort): void {
  if (given.has(id)) return;
  given.add(id);
  child.send({ type: 'listen', id, port, bind }, handle);
}

function answerNeed(edge: Edge, ports: readonly PortBinding[], listeners: Listeners, serves: boolean): void {
  for (const { port, bind } of ports) {
    const answer = listeners.hold({ port, bind });
    if (answer.ok) give(edge, answer.held);
    else edge.child.send({ type: 'listen-failed', port, bind, code: answer.code });
  }
  // Only the edge that serves knows all that is needed: one that starts may not have read its state yet.
  if (!serves) return;
  for (const { id, port, bind } of listeners.keepOnly(ports)) {
    edge.given.delete(id);
    edge.child.send({ type: 'unlisten', port, bind });
  }
}

/** Tells it to go; resolves when it is gone, at the latest shortly after `ms`. */
async function leave(edge: Edge, type: 'drain' | 'shutdown', ms: number, say: Say): Promise<void> {
  const { child } = edge;
  edge.leaving = true;
  child.send({ type });
  const late = await Promise.race([child.exited.then(() => false), after(ms, true)]);
  if (!late) return;
  say(`edge ${child.pid} has not left within ${ms} ms and is killed`);
  child.kill('SIGKILL');
  await child.exited;
}

const after = <T>(ms: number, value: T): Promise<T> =>
  new Promise((resolve) => {
    setTimeout(() => resolve(value), ms).unref();
  });
