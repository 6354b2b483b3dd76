import { formatDuration } from '../../lib/format.ts';
import type { Schedule } from '../project/project.ts';
import type { Run, ScheduleMark } from './run.ts';

/** Times further ahead than this were decided by a clock that was wrong. */
const AHEAD_MS = 86_400_000;

/** The times of a schedule. Pure: the same arguments answer the same. */
export interface Timetable {
  /** The first time after `at`; null when there is none any more. */
  next(schedule: Schedule, at: number): number | null;
}

export interface ScheduleDecision {
  /** As it is to be from now on. */
  mark: ScheduleMark;
  /** To be recorded together with the mark, in the order of their times; at most one of them is to run. */
  runs: Pick<Run, 'dueAt' | 'state' | 'reason'>[];
  /** Something is to be written down. */
  changed: boolean;
  /** The next time of the schedule. */
  wakeAt: number | null;
}

/** More times than this are not counted one by one. */
const MOST = 1_000;

/**
 * What the times that have come since the last look ask for. The last of them runs, unless it is too late for it or the
 * one before still runs; those before it were missed, and are said so, in one line.
 *
 * A schedule counts from when it is first seen: what a new release brings asks for nothing in the past.
 */
export function decideSchedule(
  service: string,
  schedule: Schedule,
  seen: { mark: ScheduleMark | null; running: Run | null; now: number; timetable: Timetable },
): ScheduleDecision {
  const { now, timetable } = seen;
  const spec = JSON.stringify([schedule.at, schedule.timeZone]);
  const known = seen.mark?.spec === spec && seen.mark.through <= now + AHEAD_MS ? seen.mark : null;
  const mark = known ?? { service, spec, through: now };
  const { times, cut } = timesBetween(schedule, timetable, mark.through, now);
  const wakeAt = timetable.next(schedule, Math.max(now, mark.through));
  const last = times.at(-1);
  if (last === undefined) return { mark, runs: [], changed: known === null, wakeAt };

  const before = times.slice(0, -1);
  const runs: ScheduleDecision['runs'] = [];
  const newest = before.at(-1);
  if (newest !== undefined) runs.push({ dueAt: newest, state: 'missed', reason: missed(before, cut) });
  const late = now - last;
  if (late > schedule.lateMs)
    runs.push({
      dueAt: last,
      state: 'missed',
      reason: `evenkeel was away; ${formatDuration(late)} late is more than ${formatDuration(schedule.lateMs)}`,
    });
  else if (seen.running !== null) runs.push({ dueAt: last, state: 'skipped', reason: 'the run before it still runs' });
  else
    runs.push({ dueAt: last, state: 'running', reason: late < 60_000 ? 'due' : `due, ${formatDuration(late)} late` });
  return { mark: { ...mark, through: last }, runs, changed: true, wakeAt };
}

function timesBetween(
  schedule: Schedule,
  timetable: Timetable,
  after: number,
  until: number,
): { times: number[]; cut: boolean } {
  const times: number[] = [];
  for (let at = timetable.next(schedule, after); at !== null && at <= until; at = timetable.next(schedule, at)) {
    times.push(at);
    if (times.length < MOST) continue;
    // Only the end of a long absence matters now.
    const recent = recentTimes(schedule, timetable, until);
    return { times: recent.length === 0 ? times : recent, cut: true };
  }
  return { times, cut: false };
}

/** The times of the last while, as long a while as holds some and not too many. */
function recentTimes(schedule: Schedule, timetable: Timetable, until: number): number[] {
  for (let span = 60_000; span < AHEAD_MS * 400; span *= 4) {
    const times: number[] = [];
    for (let at = timetable.next(schedule, until - span); at !== null && at <= until; at = timetable.next(schedule, at))
      times.push(at);
    if (times.length > 1) return times;
  }
  return [];
}

function missed(times: number[], cut: boolean): string {
  if (cut) return `evenkeel was away; more than ${MOST} times were missed`;
  return times.length === 1
    ? 'evenkeel was away'
    : `evenkeel was away; ${times.length} times were missed, this is the last`;
}
