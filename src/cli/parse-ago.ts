import { EvenkeelError } from '../ports/errors.ts';

const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `10m`, `1h30m` or a date, as wall time in ms. Throws `usage`. */
export function parseAgo(text: string, now: number): number {
  if (/^(\d+[smhd])+$/.test(text)) {
    const parts = text.matchAll(/(\d+)([smhd])/g);
    return now - [...parts].reduce((sum, [, count, unit]) => sum + Number(count) * (UNITS[unit ?? ''] ?? 0), 0);
  }
  const date = /^\d{4}-/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(date)) return date;
  throw new EvenkeelError({
    code: 'usage',
    what: `${text} is not a time`,
    next: 'write it such as 10m, 2h, 3d, or 2026-07-31T10:00',
  });
}
