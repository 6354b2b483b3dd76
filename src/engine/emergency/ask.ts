import type { Rollout } from '../../domain/rollout/rollout.ts';
import { holdsSome, mustGiveWay } from '../../domain/rollout/giving-way.ts';
import type { NewRequest } from '../../ports/store.ts';
import { described, EvenkeelError } from '../../ports/errors.ts';
import type { Engine } from '../engine.ts';
import { isAbsence } from './reads.ts';

export type Asked =
  | { written: true; seq: number }
  /** `why` the store has it not; `recorded` says whether the file in the home has it. */
  | { written: false; why: string; recorded: boolean };

/** How long a person who takes something back waits for the store, ms. */
const PATIENCE_MS = 700;

/**
 * Records what a person asks of a rollout: in the store, or, when that is away and the rollout is to be taken back, in
 * the home, and then the edge is told at once. What does not take back is for the store alone.
 */
export async function ask(
  engine: Engine,
  rollout: Rollout,
  request: Omit<NewRequest, 'rollout' | 'at'>,
): Promise<Asked> {
  const { deps } = engine;
  const entry: NewRequest = { rollout: rollout.id, ...request, at: deps.clock.now() };
  const writing = deps.store.addRequest(entry);
  if (!['abort', 'reject', 'rollback'].includes(request.kind)) {
    const { seq } = await writing;
    engine.wake(rollout);
    return { written: true, seq };
  }
  const seq = await withinPatience(engine, writing);
  if (typeof seq === 'number') {
    engine.wake(rollout);
    return { written: true, seq };
  }
  if (holdsSome(rollout)) throw needsStore(rollout);
  // One that is still written after all is the same again, and harmless.
  const why = seq === null ? 'it does not answer' : described(seq);
  deps.log.warn({ rollout: rollout.id }, `${request.kind} by ${request.by} without the store: ${why}`);
  const { project, environment } = rollout;
  const recorded = await deps.emergency.unwritten.add({ id: deps.newId(), project, environment, ...entry }).then(
    () => true,
    (error: unknown) => {
      deps.log.error({ rollout: rollout.id }, `the request could not be recorded here either: ${described(error)}`);
      return false;
    },
  );
  await engine.lookWithoutStore(rollout);
  engine.wake(rollout);
  return { written: false, why, recorded };
}

/** At the edge alone it would be taken from the one that runs and given to one that does not. */
const needsStore = ({ services }: Rollout): EvenkeelError =>
  new EvenkeelError({
    code: 'store-busy',
    what: 'The store does not answer; nothing was taken back.',
    why: `${services.flatMap((each) => (mustGiveWay(each) ? [each.from ?? ''] : [])).join(', ')} has stopped (overlap: false) and is started again only when that can be written down`,
    next: 'Try again.',
    retryable: true,
    exit: 2,
  });

/** The number that the store gave; the error when it is away; null when it has not answered in time. */
async function withinPatience(
  { deps }: Engine,
  writing: Promise<{ seq: number }>,
): Promise<number | EvenkeelError | null> {
  const enough = new AbortController();
  const late = deps.clock.sleep(PATIENCE_MS, enough.signal).then(() => null);
  try {
    const written = await Promise.race([writing, late]);
    return written?.seq ?? null;
  } catch (error) {
    if (isAbsence(error)) return error;
    throw error;
  } finally {
    enough.abort();
    writing.catch(() => undefined);
  }
}
