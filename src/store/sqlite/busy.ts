import { setTimeout as sleep } from 'node:timers/promises';
import { isBusy } from './errors.ts';

/** How long SQLite itself may wait for a lock, in ms: it blocks the event loop meanwhile. The rest is waited for here. */
export const BUSY_TIMEOUT_MS = 10;

const PATIENCE_MS = 5_000;
const FIRST_PAUSE_MS = 2;
const LONGEST_PAUSE_MS = 50;

/** Does the work again while another process holds the lock. Pauses differ by chance, so that two do not meet forever. */
export async function whileBusy<T>(work: () => Promise<T>, patienceMs = PATIENCE_MS): Promise<T> {
  const deadline = performance.now() + patienceMs;
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(LONGEST_PAUSE_MS, pause * 2)) {
    try {
      return await work();
    } catch (error) {
      if (!isBusy(error) || performance.now() >= deadline) throw error;
    }
    await sleep(pause * (0.5 + Math.random()));
  }
}
