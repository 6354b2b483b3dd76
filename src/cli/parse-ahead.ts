import { parseAgo } from './parse-ago.ts';

/** `90d`, `12h` or a date, as wall time in ms to come; null for `never`. Throws `usage`. */
export function parseAhead(text: string, now: number): number | null {
  if (text === 'never') return null;
  const at = parseAgo(text, now);
  return /^\d{4}-/.test(text) ? at : 2 * now - at;
}
