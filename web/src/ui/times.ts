import { formatDuration } from '../../../src/lib/format.ts';

const TIME = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' });
const DAY = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' });
const FULL = new Intl.DateTimeFormat('en-GB', { dateStyle: 'full', timeStyle: 'long' });

/** `10:04:12` */
export const timeOfDay = (at: number): string => TIME.format(at);

/** `21 Nov, 10:04` */
export const dateAndTime = (at: number): string => DAY.format(at);

/** For a tooltip: with its year and its zone. */
export const fullTime = (at: number): string => FULL.format(at);

/** `4m 12s ago`, and whole units only once that is enough: `3h ago`. */
export function ago(at: number, now: number): string {
  const ms = Math.max(0, now - at);
  if (ms < 1_000) return 'just now';
  const [first = ''] = formatDuration(ms < 60_000 ? Math.floor(ms / 1_000) * 1_000 : ms).split(/(?<=[mhd]) /);
  return `${first} ago`;
}
