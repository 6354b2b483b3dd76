/** A year, and a month to look back on it. */
const DAYS = 400;
const NAME = 'EVENKEEL_AUDIT_DAYS';

/** How many days entries of the audit are kept. What cannot be understood deletes nothing earlier than it would be. */
export function auditDays(env: NodeJS.ProcessEnv, warn: (message: string) => void): number {
  const text = env[NAME] ?? '';
  const days = text === '' ? DAYS : Number(text);
  if (Number.isInteger(days) && days >= 1 && days <= 36_500) return days;
  warn(`${NAME} is ${JSON.stringify(text)}, and may be 1 to 36500: ${DAYS} days are kept`);
  return DAYS;
}
