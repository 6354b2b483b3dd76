import { Cron } from 'croner';
import type { Timetable } from '../../domain/schedule/decide-schedule.ts';

/** An expression is read once; a file has few of them. */
const MOST_KNOWN = 500;

interface Known {
  cron: Cron;
  /** Between these two there is no other time, so what is asked at every look need not be looked for again. */
  after: number;
  next: number | null;
}

/**
 * Times of cron expressions in any time zone. Where a clock is put forward, a time that does not exist is made up for right
 * after the gap; where it is put back, a time that comes twice counts once, and every minute or hour counts each time.
 */
export function cronTimetable(): Timetable {
  const known = new Map<string, Known>();
  const nextOf = (expression: string, timezone: string, after: number): number | null => {
    const key = `${timezone} ${expression}`;
    const found = known.get(key);
    if (found !== undefined && after >= found.after && after < (found.next ?? Infinity)) return found.next;
    const cron = found?.cron ?? new Cron(expression, { timezone, mode: '5-part', paused: true });
    const next = cron.nextRun(new Date(after))?.getTime() ?? null;
    if (known.size >= MOST_KNOWN) known.clear();
    known.set(key, { cron, after, next });
    return next;
  };
  return {
    next({ at, timeZone }, after) {
      const times = at.flatMap((expression) => nextOf(expression, timeZone, after) ?? []);
      return times.length === 0 ? null : Math.min(...times);
    },
  };
}
