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
  let stopping = false;
  const passOn = (signal: NodeJS.Signals): void => {
    stopping = true;
    void lockHolder(paths.keeperLock).then(
      (holder) => {
        if (holder.held && holder.pid !== null && holder.pid !== process.pid) sendSignal(holder.pid, signal);
      },
      (error: unknown) => say(`cannot pass ${signal} on: ${String(error)}`),
    );
  };
  process.on('SIGTERM', passOn);
  process.on('SIGINT', passOn);
  try {
    for (let told = false; ; told = true) {
      const turn = await turnWithoutSockets(paths, LOOKED_AT);
      if (turn !== null && !stopping) return turn;
      if (turn !== null) {
        turn.lock.release();
        return null;
      }
      if (!told) say('another keeper runs; waiting for its end');
      await sleep(PAUSE);
    }
  } finally {
    process.off('SIGTERM', passOn);
    process.off('SIGINT', passOn);
  }
}
