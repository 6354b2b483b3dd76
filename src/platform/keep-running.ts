import { setTimeout as sleep } from 'node:timers/promises';
import { restartDelays } from './backoff.ts';

/**
 * Runs `life` again and again, with growing pauses while lives are short, until `stopped` fires. A life that rejects was
 * a short one.
 *
 * @param life starts something and resolves with how it ended.
 * @param ended is told of each end and of the pause before the next life, ms.
 */
export async function keepRunning(
  life: () => Promise<string>,
  ended: (how: string, pauseMs: number) => void,
  stopped: AbortSignal,
): Promise<void> {
  const delays = restartDelays();
  while (!stopped.aborted) {
    const start = performance.now();
    const how = await life().catch((error: unknown) => `could not be started: ${String(error)}`);
    if (stopped.aborted) return;
    const pause = delays.afterLife(performance.now() - start);
    ended(how, pause);
    await sleep(pause, undefined, { signal: stopped }).catch(() => {}); // stopped while it waited
  }
}
