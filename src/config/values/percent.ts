/** Also in the JSON Schema. */
export const PERCENT_PATTERN = '^[0-9]+(\\.[0-9]+)? ?%$';

/** `1%` or `1 %` -> 1; null when it is not a percentage. */
export function parsePercent(text: string): number | null {
  const trimmed = text.trim();
  return new RegExp(PERCENT_PATTERN).test(trimmed) ? Number.parseFloat(trimmed) : null;
}
