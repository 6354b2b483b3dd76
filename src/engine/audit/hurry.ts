import type { Clock } from '../../ports/clock.ts';
import { storeAway } from '../emergency/away-store.ts';
import { isAbsence } from '../emergency/reads.ts';

/** How long whoever takes something back waits for the store, ms, and for how long it is not asked again. */
const PATIENCE_MS = 500;
const ASK_AGAIN_MS = 2_000;

/** Asks the store where nobody may wait long for it. */
export interface Hurry {
  /** What the store answers, or `store-busy` when it takes its time: it may be carried out all the same, later. */
  <T>(ask: () => Promise<T>): Promise<T>;
}

export function hurryWith(clock: Clock, isAway: () => boolean): Hurry {
  let away = -Infinity;
  return async (ask) => {
    const now = clock.now();
    if (isAway() || (now >= away && now - away < ASK_AGAIN_MS)) throw storeAway();
    const enough = new AbortController();
    const answer = ask();
    answer.catch(() => undefined);
    const late = clock.sleep(PATIENCE_MS, enough.signal).then((): never => {
      throw storeAway();
    });
    try {
      return await Promise.race([answer, late]);
    } catch (error) {
      if (isAbsence(error)) away = clock.now();
      throw error;
    } finally {
      enough.abort();
      late.catch(() => undefined);
    }
  };
}
