import { formatDuration } from '../../lib/format.ts';
import type { Schedule } from '../project/project.ts';
import type { Run } from './run.ts';

/** What is known of a run's job. */
export type SeenJob =
  | { state: 'absent' }
  | { state: 'running'; startedAt: number }
  | { state: 'done' | 'failed' | 'cancelled'; startedAt: number; endedAt: number; detail: string }
  | { state: 'unknown'; detail: string };

export interface RunDecision {
  /** The run as it is to be recorded. */
  next: Run;
  action: 'start' | 'cancel' | null;
  /** Wall time at which time alone changes the answer; null: an observation has to. */
  wakeAt: number | null;
}

/**
 * How a run that has not ended goes on. It begins once at most: what was written down and not begun when a controller died
 * is begun by the next one, or was missed when that comes too late.
 */
export function decideRun(
  run: Run,
  schedule: Pick<Schedule, 'lateMs' | 'deadlineMs'>,
  job: SeenJob,
  now: number,
): RunDecision {
  const end = (state: Run['state'], reason: string, times: Partial<Run> = {}): RunDecision => ({
    next: { ...run, endedAt: now, ...times, state, reason },
    action: null,
    wakeAt: now,
  });
  const by = run.cancelledBy;
  const overdue = `it took longer than its deadline of ${formatDuration(schedule.deadlineMs)}`;
  switch (job.state) {
    case 'absent': {
      if (by !== null) return end('cancelled', `cancelled by ${by} before it began`);
      const late = now - run.dueAt;
      if (late > schedule.lateMs)
        return end(
          'missed',
          `it could not begin; ${formatDuration(late)} late is more than ${formatDuration(schedule.lateMs)}`,
        );
      return { next: run, action: 'start', wakeAt: run.dueAt + schedule.lateMs + 1 };
    }
    case 'running': {
      // A start in the future was written before the clock was set back: from then on it counts anew.
      const startedAt = Math.min(run.startedAt ?? job.startedAt, now);
      const next = run.startedAt === startedAt ? run : { ...run, startedAt };
      const dueAt = startedAt + schedule.deadlineMs;
      if (by !== null || now >= dueAt) return { next, action: 'cancel', wakeAt: null };
      return { next, action: null, wakeAt: dueAt };
    }
    case 'done':
    case 'failed':
      return end(job.state, job.detail, { startedAt: job.startedAt, endedAt: job.endedAt });
    case 'cancelled': {
      const times = { startedAt: job.startedAt, endedAt: job.endedAt };
      return by === null ? end('failed', overdue, times) : end('cancelled', `cancelled by ${by}`, times);
    }
    case 'unknown':
      return end('unknown', `nobody knows how it ended: ${job.detail}`);
  }
}
