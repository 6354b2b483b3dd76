import type { StreamedEvent } from '../../../src/api/contract/client.ts';
import { notHeard, onConnection } from './connection.ts';
import { asProblem } from './problem-error.ts';

/** A browser has six lines for one address, for all of its tabs. */
const HIDDEN_MS = 30_000;
/** The controller sends a sign of life every 5 s. */
const SILENCE_MS = 16_000;
const FIRST_WAIT_MS = 400;
const LONGEST_WAIT_MS = 5_000;

export interface Resuming<T> {
  /** Opens the stream, after the event of this id. */
  open(options: { signal: AbortSignal; lastEventId?: string }): AsyncGenerator<StreamedEvent<T> | null>;
  /** Whether a tab that nobody looks at gives its line back until somebody does. */
  letsGo?: boolean;
  onEvent(data: T): void;
  /** Whether a stream that ended has said all there is; otherwise it is opened again. */
  over(): boolean;
  signal: AbortSignal;
}

/**
 * Follows a stream through cut connections and restarts of the controller, until it is over. Throws ProblemError when it
 * is refused for good (there is no such thing, or one may not see it).
 */
export async function resumed<T>({ open, letsGo = false, onEvent, over, signal }: Resuming<T>): Promise<void> {
  let last: string | null = null;
  let wait = FIRST_WAIT_MS;
  while (!signal.aborted) {
    if (letsGo) await untilShown(signal);
    const silence = new AbortController();
    const hidden = hiddenLong(letsGo);
    let timer = setTimeout(() => silence.abort(), SILENCE_MS);
    try {
      const options: { signal: AbortSignal; lastEventId?: string } = {
        signal: AbortSignal.any([signal, silence.signal, hidden.signal]),
        ...(last === null ? {} : { lastEventId: last }),
      };
      for await (const event of open(options)) {
        clearTimeout(timer);
        timer = setTimeout(() => silence.abort(), SILENCE_MS);
        if (signal.aborted) return;
        if (event === null) continue;
        last = event.id ?? last;
        wait = FIRST_WAIT_MS;
        onEvent(event.data);
      }
      if (over()) return;
    } catch (error) {
      if (signal.aborted) return;
      if (hidden.signal.aborted) continue;
      const problem = asProblem(error);
      // The connection stands, and nothing comes over it: nobody else would notice.
      if (silence.signal.aborted) notHeard('nothing has come from it, not even a sign of life');
      if (!silence.signal.aborted && problem.status >= 400 && problem.status < 500 && !problem.retryable) throw problem;
    } finally {
      clearTimeout(timer);
      hidden.forget();
    }
    // Not all tabs at the same moment, when a controller is back.
    await sleep(wait * (0.75 + Math.random() / 2), signal);
    wait = Math.min(LONGEST_WAIT_MS, wait * 2);
  }
}

/** Or until somebody else was answered: then there is nothing to wait for. */
const sleep = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      off();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    const off = onConnection(({ state }) => {
      if (state === 'connected') done();
    });
    signal.addEventListener('abort', done, { once: true });
  });

/** Aborted once nobody has looked at the tab for a while. */
function hiddenLong(asked: boolean): { signal: AbortSignal; forget(): void } {
  const long = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const looked = (): void => {
    clearTimeout(timer);
    if (document.hidden) timer = setTimeout(() => long.abort(), HIDDEN_MS);
  };
  if (asked) document.addEventListener('visibilitychange', looked);
  return {
    signal: long.signal,
    forget() {
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', looked);
    },
  };
}

const untilShown = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const looked = (): void => {
      if (document.hidden && !signal.aborted) return;
      document.removeEventListener('visibilitychange', looked);
      signal.removeEventListener('abort', looked);
      resolve();
    };
    document.addEventListener('visibilitychange', looked);
    signal.addEventListener('abort', looked);
    looked();
  });
