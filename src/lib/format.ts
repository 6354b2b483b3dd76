/** Numbers as people read them, the same in every table, message and screen. */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A length of time in ms: `84 ms`, `4.2 s`, `42 s`, `1m 30s`, `2h 5m`, `3d 4h`. */
export function formatDuration(ms: number): string {
  if (!Number.isFinite(ms)) return 'unknown';
  const time = Math.max(0, ms);
  if (time < 999.5) return `${Math.round(time)} ms`;
  if (time < 9.95 * SECOND) return `${(time / SECOND).toFixed(1)} s`;
  // Rounded first, or 59.7 s would read as "60 s".
  const seconds = Math.round(time / SECOND) * SECOND;
  if (seconds < MINUTE) return `${seconds / SECOND} s`;
  if (seconds < HOUR) return units(seconds, MINUTE, 'm', SECOND, 's');
  const minutes = Math.round(time / MINUTE) * MINUTE;
  if (minutes < DAY) return units(minutes, HOUR, 'h', MINUTE, 'm');
  return units(Math.round(time / HOUR) * HOUR, DAY, 'd', HOUR, 'h');
}

function units(ms: number, large: number, largeName: string, small: number, smallName: string): string {
  const whole = Math.floor(ms / large);
  const rest = Math.floor((ms % large) / small);
  return rest === 0 ? `${whole}${largeName}` : `${whole}${largeName} ${rest}${smallName}`;
}

/** Time left, in whole seconds so that it counts down evenly: `0 s`, `48 s`, `6m 48s`. */
export function formatTimeLeft(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / SECOND));
  return seconds < 60 ? `${seconds} s` : formatDuration(seconds * SECOND);
}

/** A latency in ms: `0.4 ms`, `118 ms`, `1.25 s`. */
export function formatLatency(ms: number): string {
  if (ms >= 999.5) return `${trimmed(ms / SECOND, 2)} s`;
  return `${ms < 10 ? trimmed(ms, 1) : Math.round(ms)} ms`;
}

/** A share, 0..1, as percent: `0 %`, `0.12 %`, `4.8 %`, `10 %`. */
export function formatShare(share: number): string {
  return formatPercent(share * 100);
}

/** Percent, 0..100. Small ones keep a digit that tells them from none. */
export function formatPercent(percent: number): string {
  if (percent === 0) return '0 %';
  if (percent < 0.01) return '< 0.01 %';
  return `${trimmed(percent, percent < 1 ? 2 : 1)} %`;
}

/** Requests per second and the like: `0/s`, `0.4/s`, `12.5/s`, `1,204/s`. */
export function formatRate(perSecond: number): string {
  return perSecond < 100 ? `${trimmed(perSecond, 1)}/s` : `${formatCount(Math.round(perSecond))}/s`;
}

const SIZES = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** Bytes: `512 B`, `1.5 KiB`, `96 MiB`. */
export function formatBytes(bytes: number): string {
  let size = bytes;
  let unit = 0;
  while (size >= 1023.5 && unit < SIZES.length - 1) {
    size /= 1024;
    unit++;
  }
  return `${size < 10 ? trimmed(size, 1) : Math.round(size)} ${SIZES[unit] ?? 'B'}`;
}

/** A whole number with its thousands apart: `1,204`. */
export function formatCount(count: number): string {
  return String(Math.round(count)).replaceAll(/\B(?=(\d{3})+$)/g, ',');
}

/** `1 request`, `1,204 requests`. */
export function plural(count: number, noun: string, several = `${noun}s`): string {
  return `${formatCount(count)} ${count === 1 ? noun : several}`;
}

function trimmed(value: number, digits: number): string {
  return String(Number(value.toFixed(digits)));
}
