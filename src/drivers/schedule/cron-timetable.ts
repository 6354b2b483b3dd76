import { Cron } from 'croner';
import type { Timetable } from '../../domain/schedule/decide-schedule.ts';

/** An expression is read once; a file has few of them. */
const MOST_KNOWN = 500;

/**
 * Times of cron expressions in any time zone. Where a clock is put forward, a time that does not exist is made up for right
 * after the gap; where it is put back, a time that comes twice counts once, and every minute or hour counts each time.
 */
export function cronTimetable(): Timetable {
  const known = new Map<string, Cron>();
  const cron = (expression: string, timezone: string): Cron => {
    const key = `${timezone} ${expression}`;
    let found = known.get(key);
    if (found === undefined) {
      found = new Cron(expression, { timezone, mode: '5-part', paused: true });
      if (known.size >= MOST_KNOWN) known.clear();
      known.set(key, found);
    }
    return found;
  };
  return {
    next({ at, timeZone }, after) {
      const times = at.flatMap((expression) => cron(expression, timeZone).nextRun(new Date(after))?.getTime() ?? []);
      return times.length === 0 ? null : Math.min(...times);
    },
  };
}
