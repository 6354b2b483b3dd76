import type { Clock } from '../../ports/clock.ts';
import type { EngineDeps } from '../deps.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import type { Store } from '../../ports/store.ts';
import { awayStore } from './away-store.ts';

/** What `abort`, `rollback` and `status` read. */
export type Reads = Pick<
  Store,
  'environment' | 'environments' | 'deployments' | 'rollout' | 'rollouts' | 'release' | 'runs' | 'scales'
> & {
  /** Since when what is read is what was known last, wall time, ms; null while the store answers. */
  awaySince(): number | null;
  /** How many requests are still to be written. */
  unwritten(): number;
};

/** How long a person waits for a store that does not answer, ms, and for how long it is not asked again. */
const PATIENCE_MS = 1_000;
const ASK_AGAIN_MS = 2_000;

/** Reads the store, or, when it is away, what it said last. */
export function readsOf(
  store: Store,
  clock: Clock,
  { lastKnown, unwritten, awaySince }: Pick<EngineDeps['emergency'], 'lastKnown' | 'unwritten' | 'awaySince'>,
): Reads {
  const away = awayStore(lastKnown, unwritten);
  let since = awaySince;
  let askedAt = 0;

  async function read<T>(ask: (from: Store) => Promise<T>, isKnown: (answer: T) => boolean): Promise<T> {
    const known = async (error: unknown): Promise<T> => {
      const answer = await ask(away);
      if (isKnown(answer)) return answer;
      throw error;
    };
    const now = clock.now();
    if (since !== null && now >= askedAt && now - askedAt < ASK_AGAIN_MS) {
      const answer = await ask(away);
      if (isKnown(answer)) return answer;
    }
    const answer = ask(store);
    try {
      const told = await inTime(clock, answer);
      since = awaySince;
      return told;
    } catch (error) {
      answer.catch(() => undefined);
      if (!isAbsence(error)) throw error;
      since ??= now;
      askedAt = clock.now();
      return known(error);
    }
  }

  const always = (): boolean => true;
  const found = (answer: unknown): boolean => answer !== null;
  const some = (answer: unknown[]): boolean => answer.length > 0;
  return {
    awaySince: () => since,
    unwritten: () => lastKnown.all().flatMap(({ record }) => unwritten.of(record)).length,
    environment: (project, environment) => read((from) => from.environment(project, environment), found),
    environments: () => read((from) => from.environments(), some),
    deployments: (project, environment) => read((from) => from.deployments(project, environment), some),
    rollout: (id) => read((from) => from.rollout(id), found),
    rollouts: (query) => read((from) => from.rollouts(query), always),
    release: (project, id) => read((from) => from.release(project, id), found),
    runs: (query) => read((from) => from.runs(query), always),
    scales: (project, environment) => read((from) => from.scales(project, environment), always),
  };
}

async function inTime<T>(clock: Clock, answer: Promise<T>): Promise<T> {
  const enough = new AbortController();
  const late = clock.sleep(PATIENCE_MS, enough.signal).then((): never => {
    throw new EvenkeelError({ code: 'store-busy', what: 'The store does not answer.', retryable: true, exit: 2 });
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    enough.abort();
    late.catch(() => undefined);
  }
}

/** The store cannot be used at present, whatever keeps it from that; what it refuses by its rules is not among it. */
export const isAbsence = (error: unknown): error is EvenkeelError =>
  error instanceof EvenkeelError &&
  ['store-busy', 'store-readonly', 'store-full', 'store-unsure', 'store-failed', 'store-corrupt'].includes(error.code);
