import { lockHolder, takeLock, type Lock } from '../platform/lock.ts';
import type { Logger } from '../platform/log.ts';
import { sendSignal } from '../platform/process/table.ts';

/**
 * Waits until this controller is the only one. A former one whose keeper is gone leaves by itself within seconds; one
 * that does not within `patienceMs` hangs, and nobody else would end it: its keeper, who watched it, is gone.
 */
export async function takeControllerLock(
  file: string,
  { patienceMs, log }: { patienceMs: number; log: Pick<Logger, 'warn'> },
): Promise<Lock> {
  for (;;) {
    const before = await lockHolder(file);
    const lock = await takeLock(file, { waitMs: patienceMs });
    if (lock !== null) return lock;
    const holder = await lockHolder(file);
    // Only who has held it all the while: another may have come and be well.
    if (!before.held || !holder.held || holder.pid === null || holder.pid !== before.pid) continue;
    log.warn(`controller ${holder.pid} holds the lock, has not left within ${patienceMs} ms and is killed`);
    sendSignal(holder.pid, 'SIGKILL');
  }
}
