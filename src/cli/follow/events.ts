import { setTimeout as sleep } from 'node:timers/promises';
import type { RolloutEvent } from '../../api/contract/rollouts.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import type { Context } from '../context.ts';

/** The controller says something at least every 5 s; after this long it hangs. */
const HUNG_MS = 15_000;
const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 1_000;
const GIVE_UP_MS = 120_000;

/** As many lines of a job are sent again after each connection. */
const REPEATED_LINES = 200;

/** Between two looks at how long the controller has been away, ms. */
const LOOK_EVERY = 500;

/**
 * The events of a rollout, however often the controller is killed and started again: each journal entry and each line
 * of output once. `onSilent` is told, again and again, for how many ms the controller has been away, and 0 when it is
 * back. Ends when the controller says that the rollout is over, or when `signal` fires.
 * Throws what the controller refuses, and `controller-lost` after two minutes without an answer.
 */
export async function* rolloutEvents(
  { client, deps }: Pick<Context, 'client' | 'deps'>,
  id: string,
  { signal, onSilent }: { signal: AbortSignal; onSilent: (ms: number) => void },
): AsyncGenerator<RolloutEvent> {
  const seen = new RecentLines();
  let after = 0;
  let awaySince: number | null = deps.now();
  let pause = FIRST_PAUSE;
  // A connection may be accepted long before anybody answers on it, so time is watched beside the asking.
  const looking = setInterval(() => {
    if (awaySince !== null) onSilent(deps.now() - awaySince);
  }, LOOK_EVERY);
  try {
    while (!signal.aborted) {
      const connection = new AbortController();
      let watchdog = setTimeout(() => connection.abort(), HUNG_MS);
      try {
        seen.reconnected();
        let over = false;
        const events = (await client()).followRollout(
          { rollout: id, after },
          { signal: AbortSignal.any([signal, connection.signal]) },
        );
        for await (const said of events) {
          clearTimeout(watchdog);
          watchdog = setTimeout(() => connection.abort(), HUNG_MS);
          if (awaySince !== null) onSilent(0);
          awaySince = null;
          pause = FIRST_PAUSE;
          if (said === null) continue;
          const event = said.data;
          if (seen.has(event, after)) continue;
          if (event.type === 'journal') after = event.entry.seq;
          if (event.type === 'rollout') over = event.rollout.end !== null && event.rollout.settled;
          yield event;
        }
        if (over) return;
      } catch (error) {
        if (signal.aborted) return;
        if (!connection.signal.aborted && !mayPass(error)) throw error;
      } finally {
        clearTimeout(watchdog);
        connection.abort();
      }
      awaySince ??= deps.now();
      if (deps.now() - awaySince > GIVE_UP_MS) throw lost(id);
      await sleep(pause, undefined, { signal }).catch(() => {});
      pause = Math.min(pause * 2, LONGEST_PAUSE);
    }
  } finally {
    clearInterval(looking);
  }
}

/** Whether it is only that the controller is away. */
function mayPass(error: unknown): boolean {
  if (!(error instanceof EvenkeelError)) return error instanceof SyntaxError; // half a line: it died while it wrote
  return error.retryable || error.code === 'server-not-running';
}

function lost(id: string): EvenkeelError {
  return new EvenkeelError({
    code: 'controller-lost',
    what: 'the controller has not answered for two minutes',
    why: 'it was stopped, or cannot start; traffic and instances do not depend on it',
    next: `evenkeel server status; then evenkeel watch ${id}`,
    exit: 2,
  });
}

/** Knows what a new connection only repeats. */
class RecentLines {
  #jobs = new Map<string, { lines: string[]; repeating: boolean }>();

  reconnected(): void {
    for (const job of this.#jobs.values()) job.repeating = true;
  }

  /** Whether this event was seen before; a line of output is remembered. */
  has(event: RolloutEvent, after: number): boolean {
    if (event.type === 'journal') return event.entry.seq <= after;
    if (event.type === 'rollout') return false;
    const { job, line } = event;
    const known = this.#jobs.get(job) ?? { lines: [], repeating: false };
    this.#jobs.set(job, known);
    if (known.repeating && known.lines.includes(line)) return true;
    known.repeating = false;
    known.lines.push(line);
    if (known.lines.length > REPEATED_LINES) known.lines.shift();
    return false;
  }
}
