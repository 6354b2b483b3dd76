const UNITS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const PART = /(\d+(?:\.\d+)?)(ms|s|m|h|d)/g;

/** Also in the JSON Schema, so it holds no JavaScript-only syntax. */
export const DURATION_PATTERN = '^(0|([0-9]+(\\.[0-9]+)?(ms|s|m|h|d))+)$';

/** `500ms`, `30s`, `1h30m`, `0` -> whole milliseconds; null when it is not a duration (a bare number has no unit). */
export function parseDuration(text: string): number | null {
  const compact = text.trim().replaceAll(' ', '');
  if (!new RegExp(DURATION_PATTERN).test(compact)) return null;
  let total = 0;
  for (const [, amount = '0', unit = 'ms'] of compact.matchAll(PART)) total += Number(amount) * (UNITS[unit] ?? NaN);
  const milliseconds = Math.round(total);
  return Number.isSafeInteger(milliseconds) ? milliseconds : null;
}
