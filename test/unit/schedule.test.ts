import { describe, expect, test } from 'vitest';
import type { Schedule } from '../../src/domain/project/project.ts';
import { decideRun } from '../../src/domain/schedule/decide-run.ts';
import { decideSchedule } from '../../src/domain/schedule/decide-schedule.ts';
import type { Run, ScheduleMark } from '../../src/domain/schedule/run.ts';
import { cronTimetable } from '../../src/drivers/schedule/cron-timetable.ts';

const minute = 60_000;
const hour = 60 * minute;
const at = (time: string): number => Date.parse(time);
const timetable = cronTimetable();
const aSchedule = (over: Partial<Schedule> = {}): Schedule => ({
  at: ['0 3 * * *'],
  timeZone: 'UTC',
  lateMs: hour,
  deadlineMs: hour,
  ...over,
});
const times = (schedule: Schedule, from: string, count: number): string[] => {
  const found: string[] = [];
  for (let now = at(from); found.length < count;) {
    now = timetable.next(schedule, now) ?? Number.NaN;
    found.push(new Date(now).toISOString().replace(':00.000Z', 'Z'));
  }
  return found;
};

describe('the times of a schedule', () => {
  test('are those of its time zone', () => {
    expect(times(aSchedule({ timeZone: 'Europe/Berlin' }), '2026-01-01T00:00Z', 1)).toEqual(['2026-01-01T02:00Z']);
    expect(times(aSchedule({ timeZone: 'Europe/Berlin' }), '2026-07-01T00:00Z', 1)).toEqual(['2026-07-01T01:00Z']);
  });

  test('are those of all its expressions, each once', () => {
    const both = aSchedule({ at: ['0 3 * * *', '0 */3 * * *', '@daily'] });
    expect(times(both, '2026-01-01T00:00Z', 3)).toEqual([
      '2026-01-01T03:00Z',
      '2026-01-01T06:00Z',
      '2026-01-01T09:00Z',
    ]);
  });

  test('that do not exist, since a clock is put forward, are made up for right after the gap, once', () => {
    const night = aSchedule({ at: ['30 2 * * *'], timeZone: 'Europe/Berlin' });
    expect(times(night, '2026-03-28T12:00Z', 2)).toEqual(['2026-03-29T01:00Z', '2026-03-30T00:30Z']);
    const hourly = aSchedule({ at: ['30 * * * *'], timeZone: 'Europe/Berlin' });
    expect(times(hourly, '2026-03-29T00:00Z', 3)).toEqual([
      '2026-03-29T00:30Z',
      '2026-03-29T01:30Z',
      '2026-03-29T02:30Z',
    ]);
  });

  test('that come twice, since a clock is put back, count once; every hour counts each time', () => {
    const night = aSchedule({ at: ['30 2 * * *'], timeZone: 'Europe/Berlin' });
    expect(times(night, '2026-10-24T12:00Z', 2)).toEqual(['2026-10-25T00:30Z', '2026-10-26T01:30Z']);
    const hourly = aSchedule({ at: ['30 * * * *'], timeZone: 'Europe/Berlin' });
    expect(times(hourly, '2026-10-25T00:00Z', 3)).toEqual([
      '2026-10-25T00:30Z',
      '2026-10-25T01:30Z',
      '2026-10-25T02:30Z',
    ]);
  });
});

const spec = JSON.stringify([['0 3 * * *'], 'UTC']);
const marked = (through: string): ScheduleMark => ({ service: 'tidy', spec, through: at(through) });
const aRun = (over: Partial<Run> = {}): Run => ({
  project: 'shop',
  environment: 'production',
  service: 'tidy',
  dueAt: at('2026-01-02T03:00Z'),
  askedBy: null,
  release: 'tidy@1',
  state: 'running',
  startedAt: null,
  endedAt: null,
  reason: 'due',
  cancelledBy: null,
  ...over,
});

describe('when a time has come', () => {
  const decide = (
    now: string,
    over: { mark?: ScheduleMark | null; running?: Run | null; schedule?: Schedule } = {},
  ) => {
    const { mark = marked('2026-01-01T03:00Z'), running = null, schedule = aSchedule() } = over;
    return decideSchedule('tidy', schedule, { mark, running, now: at(now), timetable });
  };

  test('it runs, and the next time is waited for', () => {
    const decision = decide('2026-01-02T03:00:01Z');
    expect(decision.runs).toEqual([{ dueAt: at('2026-01-02T03:00Z'), state: 'running', reason: 'due' }]);
    expect(decision).toMatchObject({ mark: marked('2026-01-02T03:00Z'), wakeAt: at('2026-01-03T03:00Z') });
  });

  test('nothing runs before it, or twice for it', () => {
    expect(decide('2026-01-02T02:59:59Z')).toMatchObject({ runs: [], changed: false, wakeAt: at('2026-01-02T03:00Z') });
    const after = decide('2026-01-02T03:00:02Z', { mark: marked('2026-01-02T03:00Z') });
    expect(after).toMatchObject({ runs: [], changed: false });
  });

  test('a schedule that is new asks for nothing in the past', () => {
    expect(decide('2026-01-02T03:00:01Z', { mark: null })).toMatchObject({ runs: [], changed: true });
    const other = aSchedule({ at: ['* * * * *'] });
    expect(decide('2026-01-02T03:00:01Z', { schedule: other })).toMatchObject({ runs: [], changed: true });
  });

  test('it is skipped while the run before it still runs, and said so', () => {
    expect(decide('2026-01-02T03:00:01Z', { running: aRun() }).runs).toEqual([
      { dueAt: at('2026-01-02T03:00Z'), state: 'skipped', reason: 'the run before it still runs' },
    ]);
  });

  test('it runs late after a short absence, and was missed after a long one', () => {
    expect(decide('2026-01-02T03:40Z').runs).toMatchObject([{ state: 'running', reason: 'due, 40m late' }]);
    expect(decide('2026-01-02T04:01Z').runs).toMatchObject([
      { state: 'missed', reason: 'evenkeel was away; 1h 1m late is more than 1h' },
    ]);
  });

  test('of several that were missed the last one runs, and the others are one line', () => {
    expect(decide('2026-01-05T03:10Z').runs).toMatchObject([
      {
        dueAt: at('2026-01-04T03:00Z'),
        state: 'missed',
        reason: 'evenkeel was away; 3 times were missed, this is the last',
      },
      { dueAt: at('2026-01-05T03:00Z'), state: 'running' },
    ]);
    const minutely = aSchedule({ at: ['* * * * *'] });
    const mark = { service: 'tidy', spec: JSON.stringify([['* * * * *'], 'UTC']), through: at('2025-01-01T00:00Z') };
    const { runs } = decide('2026-01-05T03:10:30Z', { schedule: minutely, mark });
    expect(runs).toMatchObject([
      {
        dueAt: at('2026-01-05T03:09Z'),
        state: 'missed',
        reason: 'evenkeel was away; more than 1000 times were missed',
      },
      { dueAt: at('2026-01-05T03:10Z'), state: 'running' },
    ]);
  });

  test('a clock that was a year ahead does not silence it for a year', () => {
    expect(decide('2026-01-02T03:00:01Z', { mark: marked('2027-01-02T03:00Z') })).toMatchObject({
      changed: true,
      mark: { through: at('2026-01-02T03:00:01Z') },
    });
  });
});

describe('a run', () => {
  const due = at('2026-01-02T03:00Z');
  const bounds = aSchedule();

  test('begins once it is written down, also by the next controller, but not when that comes too late', () => {
    expect(decideRun(aRun(), bounds, { state: 'absent' }, due + 5_000)).toMatchObject({ action: 'start' });
    expect(decideRun(aRun(), bounds, { state: 'absent' }, due + 2 * hour).next).toMatchObject({ state: 'missed' });
    const called = aRun({ cancelledBy: 'ann' });
    expect(decideRun(called, bounds, { state: 'absent' }, due).next).toMatchObject({ state: 'cancelled' });
  });

  test('is ended at its deadline, and has failed then', () => {
    const job = { state: 'running' as const, startedAt: due };
    expect(decideRun(aRun(), bounds, job, due + hour - 1)).toMatchObject({ action: null, wakeAt: due + hour });
    expect(decideRun(aRun(), bounds, job, due + hour)).toMatchObject({ action: 'cancel' });
    // A clock that was set back by a day does not give it a day.
    const before = decideRun(aRun({ startedAt: due }), bounds, job, due - 24 * hour);
    expect(before).toMatchObject({ next: { startedAt: due - 24 * hour }, wakeAt: due - 23 * hour });
    const ended = { state: 'cancelled' as const, startedAt: due, endedAt: due + hour, detail: '' };
    expect(decideRun(aRun(), bounds, ended, due + hour).next).toMatchObject({
      state: 'failed',
      reason: 'it took longer than its deadline of 1h',
    });
  });

  test('is ended when somebody asks for it', () => {
    const called = aRun({ cancelledBy: 'ann' });
    expect(decideRun(called, bounds, { state: 'running', startedAt: due }, due)).toMatchObject({ action: 'cancel' });
    const ended = { state: 'cancelled' as const, startedAt: due, endedAt: due + 5, detail: '' };
    expect(decideRun(called, bounds, ended, due).next).toMatchObject({
      state: 'cancelled',
      reason: 'cancelled by ann',
    });
  });

  test('is worth what its job was', () => {
    const ran = { startedAt: due, endedAt: due + 7 };
    const after = (job: Parameters<typeof decideRun>[2]) => decideRun(aRun(), bounds, job, due).next;
    expect(after({ state: 'done', ...ran, detail: 'exit code 0' })).toMatchObject({ state: 'done', ...ran });
    expect(after({ state: 'failed', ...ran, detail: 'exit code 3' })).toMatchObject({
      state: 'failed',
      reason: 'exit code 3',
    });
    expect(after({ state: 'unknown', detail: 'rebooted' })).toMatchObject({ state: 'unknown' });
  });
});
