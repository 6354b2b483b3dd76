import { setTimeout as sleep } from 'node:timers/promises';
import { lockHolder } from '../platform/lock.ts';
import type { EvenkeelPaths } from '../platform/paths.ts';
import { sendSignal } from '../platform/process/table.ts';
import type { Say } from './keeper-log.ts';
import { turnWithoutSockets, type Turn } from './orphans.ts';

const PAUSE = 500;
/** How long the lock may seem taken because somebody looks at it, ms. */
const LOOKED_AT = 100;

/**
 * Waits until there is no other keeper. Who is told to stop while it waits passes that on to the keeper that runs, and
 * returns null when that one is gone: to a service manager the two are one.
 *
 * It exists because a keeper that died was perhaps replaced by one that the edge started, before the service manager
 * starts its own.
 */
export async function standBy(paths: EvenkeelPaths, say: Say): Promise<Turn | null> {
  let stopping: NodeJS.Signals | null = null;
  let toldTo: number | null = null;
  /** Until somebody has heard it: for a moment a lock may seem to be nobody's, and another keeper may follow the one told. */
  const tell = async (): Promise<void> => {
    const holder = await lockHolder(paths.keeperLock);
    const pid = holder.held ? holder.pid : null;
    if (stopping === null || pid === null || pid === process.pid || pid === toldTo) return;
    toldTo = pid;
    sendSignal(pid, stopping);
  };
  const passOn = (signal: NodeJS.Signals): void => {
    stopping = signal;
    toldTo = null; // told twice, a keeper does not wait any more
    tell().catch((error: unknown) => say(`cannot pass ${signal} on: ${String(error)}`));
  };
  process.on('SIGTERM', passOn);
  process.on('SIGINT', passOn);
  try {
    for (let told = false; ; told = true) {
      const turn = await turnWithoutSockets(paths, LOOKED_AT);
      if (turn !== null && stopping === null) return turn;
      if (turn !== null) {
        turn.lock.release();
        return null;
      }
      if (!told) say('another keeper runs; waiting for its end');
      await sleep(PAUSE);
      if (stopping !== null) await tell().catch(() => undefined); // it is tried again
    }
  } finally {
    process.off('SIGTERM', passOn);
    process.off('SIGINT', passOn);
  }
}
