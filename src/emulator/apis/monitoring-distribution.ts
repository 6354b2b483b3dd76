import type { JsonObject } from '../json.ts';

/** Buckets as Google's latencies have them: each bound is 1.4 times the one before, in milliseconds. */
const GROWTH = 1.4;
const FINITE = 66;

/** A `Distribution` of measurements. Only what falls into which bucket is told, as on the real thing. */
export function distributionOf(values: readonly number[]): JsonObject {
  const counts = Array.from({ length: FINITE + 2 }, () => 0);
  for (const value of values) {
    // Bucket 0 is below 1, bucket i from 1.4^(i-1) up to 1.4^i, the last one everything above.
    const index = value < 1 ? 0 : Math.min(FINITE + 1, Math.floor(Math.log(value) / Math.log(GROWTH)) + 1);
    counts[index] = (counts[index] ?? 0) + 1;
  }
  while (counts.at(-1) === 0) counts.pop();
  const mean = values.reduce((total, value) => total + value, 0) / Math.max(1, values.length);
  const deviation = values.reduce((total, value) => total + (value - mean) ** 2, 0);
  return {
    count: String(values.length),
    mean,
    sumOfSquaredDeviation: deviation,
    bucketOptions: { exponentialBuckets: { numFiniteBuckets: FINITE, growthFactor: GROWTH, scale: 1 } },
    bucketCounts: counts.map(String),
  };
}
