import { type Histogram, quantile, total } from '../../lib/histogram.ts';

/** From where to where a value may well be that was estimated from a sample: 19 times of 20. */
export type Interval = readonly [low: number, high: number];

/** The normal quantile of 97.5 %. */
const Z = 1.96;

/**
 * Of a share (0..1), by Wilson's score; null of nothing. As if requests did not depend on each other: those of one session do,
 * so that it is rather too narrow than too wide. It is there to be looked at; verdicts are judged by sessions.
 */
export function shareInterval(count: number, of: number): Interval | null {
  if (of <= 0) return null;
  const share = Math.min(1, Math.max(0, count / of));
  const middle = share + (Z * Z) / (2 * of);
  const half = Z * Math.sqrt((share * (1 - share)) / of + (Z * Z) / (4 * of * of));
  const scale = 1 + (Z * Z) / of;
  return [Math.max(0, (middle - half) / scale), Math.min(1, (middle + half) / scale)];
}

/** Of the quantile `q` (0..1), in the unit of the histogram, by its neighbours in order; null of nothing. */
export function quantileInterval(histogram: Histogram, q: number): Interval | null {
  const of = total(histogram);
  const half = of > 0 ? Z * Math.sqrt((q * (1 - q)) / of) : 0;
  const low = quantile(histogram, Math.max(0, q - half));
  const high = quantile(histogram, Math.min(1, q + half));
  return low === undefined || high === undefined ? null : [low.low, high.high];
}
