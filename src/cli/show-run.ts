import type { RunView, ScheduleStatus } from '../api/contract/runs.ts';
import type { Style } from './screen/style.ts';
import { dateAndTime } from './screen/time.ts';

/** How a run ended, or why there was none, in a line. */
export function runOutcome(
  { state, reason, askedBy }: Pick<RunView, 'state' | 'reason' | 'askedBy'>,
  style: Style,
): string {
  const [first = ''] = reason.split(/(?:; its last lines:)?\n/);
  const by = askedBy === null ? '' : `, asked for by ${askedBy}`;
  switch (state) {
    case 'done':
      return `${style.green('done')}${by}`;
    case 'running':
      return `${style.cyan('running')}${by}`;
    case 'failed':
    case 'unknown':
      return `${style.red(state)}${by}: ${first}`;
    case 'cancelled':
      return style.yellow(first);
    case 'skipped':
    case 'missed':
      return `${style.yellow(state)}: ${first}`;
  }
}

/** `tidy: last 2026-07-31 03:00 done; next 2026-08-01 03:00`. */
export function scheduleLine(service: string, { next, running, last }: ScheduleStatus, style: Style): string {
  const parts = [
    ...(running === null ? [] : [`${style.cyan('running')} since ${dateAndTime(running.startedAt ?? running.dueAt)}`]),
    ...(last === null ? [] : [`last ${dateAndTime(last.dueAt)} ${runOutcome(last, style)}`]),
    next === null ? 'no next time' : `next ${dateAndTime(next)}`,
  ];
  return `${service}: ${parts.join('; ')}`;
}
