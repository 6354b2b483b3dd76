import { setTimeout as sleep } from 'node:timers/promises';
import { hasInEnvironment, livingProcesses, sendSignal } from '../../platform/process/table.ts';

/** Names the run of `evenkeel dev` that a process belongs to; every descendant inherits it. */
export const RUN_MARK = 'EVENKEEL_DEV';
/** The service it belongs to. */
export const SERVICE_MARK = 'EVENKEEL_DEV_SERVICE';

const PAUSE_MS = 30;

/** Whom to look for: what carries all of these marks, and what still is in one of these sessions. */
export interface Belonging {
  marks: readonly string[];
  sessions: ReadonlySet<number>;
}

/** The living processes that belong, this one aside: also those that left their group, their session or their parent. */
function belonging({ marks, sessions }: Belonging): { pid: number; group: number }[] {
  return livingProcesses().filter(
    ({ pid, session }) =>
      pid !== process.pid && (sessions.has(session) || marks.every((mark) => hasInEnvironment(pid, mark))),
  );
}

/** SIGTERM to all, SIGKILL to who is still there after `graceMs`; resolves when nobody is left. */
export async function endAll(whom: Belonging, graceMs: number): Promise<void> {
  const deadline = performance.now() + graceMs;
  const asked = new Set<number>();
  for (;;) {
    const left = belonging(whom);
    if (left.length === 0) return;
    const over = performance.now() >= deadline;
    for (const { pid } of left) {
      if (over) sendSignal(pid, 'SIGKILL');
      else if (!asked.has(pid)) sendSignal(pid, 'SIGTERM');
      asked.add(pid);
    }
    await sleep(PAUSE_MS);
  }
}

/** SIGKILL to all, now. What is born at this very moment is left to the guard. */
export function killAll(whom: Belonging): void {
  for (const { pid } of belonging(whom)) sendSignal(pid, 'SIGKILL');
}
