/**
 * A line of CSV (RFC 4180), without its end. What a spreadsheet would take for a formula has an apostrophe before it:
 * the texts come from whoever can make a request, and are opened by whoever looks into it.
 */
export const csvLine = (values: readonly (string | number | null)[]): string => values.map(cell).join(',');

function cell(value: string | number | null): string {
  if (value === null) return '';
  if (typeof value === 'number') return String(value);
  const harmless = /^[\s]*[=+\-@\uFF1D\uFF0B\uFF0D\uFF20]|^[\t\r\n]/.test(value) ? `'${value}` : value;
  return /[",\r\n']/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
