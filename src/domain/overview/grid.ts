/** How charts over time are cut into pieces. Times are wall time in ms. */

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const DAY = 24 * 60 * MINUTE;

export type Resolution = '10s' | '1m';

/** For how long samples are kept, in ms. */
export const KEPT_MS: Readonly<Record<Resolution, number>> = { '10s': DAY, '1m': 30 * DAY };
export const SAMPLE_MS: Readonly<Record<Resolution, number>> = { '10s': 10 * SECOND, '1m': MINUTE };

export interface Grid {
  /** Where the first piece begins: at `from`, or a little before. */
  from: number;
  bucketMs: number;
  count: number;
  /** Of the samples that the pieces are filled from. */
  resolution: Resolution;
}

/**
 * At most `points` (2 or more) pieces that cover `from` up to `to`, as fine as samples are kept. What is a day old is kept by the minute
 * only; pieces of a minute and longer are filled from minutes, which are six times fewer.
 */
export function gridOf({ from, to, points, now }: { from: number; to: number; points: number; now: number }): Grid {
  const wanted = Math.max(1, to - from) / points;
  const fine = from > now - KEPT_MS['10s'] && wanted < MINUTE;
  const unit = fine ? SAMPLE_MS['10s'] : SAMPLE_MS['1m'];
  for (let units = Math.max(1, Math.ceil(wanted / unit)); ; units++) {
    const bucketMs = units * unit;
    const start = Math.floor(from / bucketMs) * bucketMs;
    const count = Math.max(1, Math.ceil((to - start) / bucketMs));
    if (count > points) continue;
    return { from: start, bucketMs, count, resolution: bucketMs >= MINUTE && bucketMs % MINUTE === 0 ? '1m' : '10s' };
  }
}

/** In which piece a moment lies, or null outside of all. */
export function bucketAt({ from, bucketMs, count }: Grid, at: number): number | null {
  const index = Math.floor((at - from) / bucketMs);
  return index >= 0 && index < count ? index : null;
}

export const timesOf = ({ from, bucketMs, count }: Grid): number[] =>
  Array.from({ length: count }, (_, index) => from + index * bucketMs);
