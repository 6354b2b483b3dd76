import { Cron } from 'croner';

export type CronReading = { ok: true; cron: string } | { ok: false; why: string };

/** An expression of five fields, or a short form such as `@daily`. `why` completes "it ...". */
export function parseCron(text: string): CronReading {
  const cron = text.trim().replace(/\s+/g, ' ');
  const fields = cron.split(' ').length;
  if (!cron.startsWith('@') && fields !== 5) return { ok: false, why: `has ${fields} fields, not 5` };
  try {
    const next = new Cron(cron, { timezone: 'UTC', mode: '5-part', paused: true }).nextRun(
      new Date('2026-01-01T00:00:00Z'),
    );
    return next === null ? { ok: false, why: 'never comes' } : { ok: true, cron };
  } catch (error) {
    const said = error instanceof Error ? error.message.replace(/^CronPattern: /, '') : '';
    return { ok: false, why: said === '' ? 'cannot be read' : `cannot be read: ${said}` };
  }
}

/** The IANA name of a time zone, or null. */
export function parseTimeZone(text: string): string | null {
  try {
    // What it is called there may differ in case or be an older name; what was written is kept.
    return new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions().timeZone === '' ? null : text;
  } catch {
    return null;
  }
}
