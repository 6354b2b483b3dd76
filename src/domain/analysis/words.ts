/** Numbers as a person reads them: three digits where they matter, no more. */

export function percent(rate: number): string {
  const value = rate * 100;
  if (value === 0 || value >= 99.95) return `${Math.round(value)} %`;
  if (value < 0.01) return 'under 0.01 %';
  return `${trim(value.toFixed(value < 1 ? 2 : 1))} %`;
}

export function milliseconds(ms: number): string {
  return ms >= 10_000 ? `${trim((ms / 1000).toFixed(1))} s` : `${ms < 10 ? trim(ms.toFixed(1)) : Math.round(ms)} ms`;
}

/** 1234567 -> "1,234,567" */
export function count(value: number): string {
  return Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ',');
}

/** "1 request", "2 requests" */
export function plural(value: number, noun: string): string {
  return `${count(value)} ${noun}${Math.round(value) === 1 ? '' : 's'}`;
}

/** Evidence as odds: "240:1"; below 1 it speaks against what is tested, and how much does not matter. */
export function odds(e: number): string {
  if (e < 1) return 'below 1:1';
  if (e >= 1e6) return 'over a million to 1';
  return `${e >= 10 ? count(e) : trim(e.toFixed(1))}:1`;
}

function trim(decimal: string): string {
  return decimal.includes('.') ? decimal.replace(/\.?0+$/, '') : decimal;
}
