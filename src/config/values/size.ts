const UNITS: Record<string, number> = {
  K: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

/** Also in the JSON Schema. */
export const SIZE_PATTERN = '^[0-9]+(\\.[0-9]+)?(Ki|Mi|Gi|Ti|K|M|G|T)$';

/** `512Mi`, `1.5G` -> bytes; null when it is not a size (a bare number has no unit). */
export function parseSize(text: string): number | null {
  const match = new RegExp(SIZE_PATTERN).exec(text.trim());
  if (match === null) return null;
  const unit = match[2] ?? '';
  const bytes = Math.round(Number.parseFloat(match[0]) * (UNITS[unit] ?? NaN));
  return Number.isSafeInteger(bytes) ? bytes : null;
}
