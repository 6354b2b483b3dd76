import type { Release } from '../../domain/release/release.ts';
import { type Run, runId } from '../../domain/schedule/run.ts';
import type { EngineDeps } from '../../engine/deps.ts';
import type { RunView, ScheduleStatus } from '../contract/runs.ts';

/** Looked through for the last one that is over. */
const RECENT = 2;

export const runView = (run: Run): RunView => {
  const { service, release, dueAt, askedBy, state, startedAt, endedAt, reason } = run;
  return { id: runId(run), service, release, dueAt, askedBy, state, startedAt, endedAt, reason };
};

/** When it runs, and what came of it; undefined when it runs all the time. */
export async function scheduleStatus(
  deps: Pick<EngineDeps, 'timetable' | 'clock'> & { store: Pick<EngineDeps['store'], 'runs'> },
  scope: { project: string; environment: string },
  release: Release | null,
  wanted: 'up' | 'down',
): Promise<ScheduleStatus | undefined> {
  const schedule = release?.config.schedule;
  if (release === null || schedule === undefined) return undefined;
  const runs = await deps.store.runs({ ...scope, service: release.service, limit: RECENT });
  const running = runs.find((each) => each.state === 'running') ?? null;
  const last = runs.find((each) => each.state !== 'running') ?? null;
  return {
    at: schedule.at,
    timeZone: schedule.timeZone,
    next: wanted === 'down' ? null : deps.timetable.next(schedule, deps.clock.now()),
    running: running === null ? null : runView(running),
    last: last === null ? null : runView(last),
  };
}
