import { setTimeout as sleep } from 'node:timers/promises';
import { PostgresFailure } from './failure.ts';

const FIRST_PAUSE_MS = 2;
const LONGEST_PAUSE_MS = 250;

/**
 * Does the work again while another process stands in its way or the database is away, until `deadline`
 * (`performance.now()`), and at least once. Pauses differ by chance, so that two do not meet forever.
 *
 * A conflict with what is there is tried once more: two that looked at the same time both saw nothing, and the second
 * look sees who was first and says so in the store's own words.
 */
export async function patiently<T>(work: () => Promise<T>, deadline: number): Promise<T> {
  let conflicted = false;
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(LONGEST_PAUSE_MS, pause * 2)) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof PostgresFailure)) throw error;
      const { kind } = error;
      const again = kind === 'collision' || kind === 'away' || (kind === 'conflict' && !conflicted);
      if (!again || performance.now() >= deadline) throw error;
      conflicted ||= kind === 'conflict';
    }
    await sleep(pause * (0.5 + Math.random()));
  }
}
