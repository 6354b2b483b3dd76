/**
 * A latency histogram with log-spaced buckets, made to be recorded into on the hot path of a proxy.
 *
 * Values are milliseconds. They are cut to units of 10 microseconds; below 0.32 ms every unit has its own bucket,
 * above that each doubling is divided into 32 buckets. A bucket is therefore never wider than 1/32 of its lower bound
 * (or 10 µs), and its middle is never further than 1/64 (1.6 %, or 5 µs) from any value in it. Everything beyond
 * `MAX_MS` (about 168 s) lands in the last bucket.
 *
 * Counts live in a Float64Array: exact to 2^53, never wrapping, and `histogram[bucketOf(ms)]++` allocates nothing.
 */

const UNITS_PER_MS = 100;
const SUB_BITS = 5;
const SUB_COUNT = 1 << SUB_BITS;
const MAX_UNITS = 2 ** 24 - 1;

/** Largest value that is told apart, in milliseconds. */
export const MAX_MS = MAX_UNITS / UNITS_PER_MS;

/** How many buckets a histogram has. */
export const BUCKETS = bucketOfUnits(MAX_UNITS) + 1;

/** A quantile estimate is off by at most this share of the true value (or by 5 µs, if that is more). */
export const RELATIVE_ERROR = 1 / (2 * SUB_COUNT);

/** Dense counts, one for each bucket. */
export type Histogram = Float64Array;

/**
 * The same counts for JSON: `[bucket, count, bucket, count, ...]`, buckets ascending, counts above zero.
 * A typical service fills 50 to 100 buckets, so this is about a kilobyte.
 */
export type HistogramCounts = readonly number[];

export interface Quantile {
  /** Middle of the bucket that holds the quantile, milliseconds. */
  readonly estimate: number;
  /** The true sample quantile lies in [low, high). */
  readonly low: number;
  readonly high: number;
}

function bucketOfUnits(units: number): number {
  if (units < SUB_COUNT) return units;
  const shift = 31 - SUB_BITS - Math.clz32(units);
  return shift * SUB_COUNT + (units >> shift);
}

/** The bucket of a value in milliseconds. Negative and NaN count as 0. */
export function bucketOf(ms: number): number {
  if (ms >= MAX_MS) return BUCKETS - 1;
  return ms > 0 ? bucketOfUnits((ms * UNITS_PER_MS) | 0) : 0;
}

/** Lower bound of a bucket in milliseconds, inclusive. `bucketFloor(BUCKETS)` is the end of the last one. */
export function bucketFloor(bucket: number): number {
  if (bucket < SUB_COUNT) return bucket / UNITS_PER_MS;
  const shift = (bucket >> SUB_BITS) - 1;
  return ((bucket - shift * SUB_COUNT) * 2 ** shift) / UNITS_PER_MS;
}

export function createHistogram(): Histogram {
  return new Float64Array(BUCKETS);
}

/** Counts one value (milliseconds). */
export function record(histogram: Histogram, ms: number): void {
  const bucket = bucketOf(ms);
  histogram[bucket] = (histogram[bucket] ?? 0) + 1;
}

/** Adds `other` to `histogram`, in place. */
export function add(histogram: Histogram, other: Histogram): void {
  for (let i = 0; i < BUCKETS; i++) histogram[i] = (histogram[i] ?? 0) + (other[i] ?? 0);
}

/**
 * Takes an earlier state away from `histogram`, in place: what was recorded between two looks at cumulative counts.
 * Never goes below zero, because a source that restarted counts from zero again.
 */
export function subtract(histogram: Histogram, earlier: Histogram): void {
  for (let i = 0; i < BUCKETS; i++) histogram[i] = Math.max(0, (histogram[i] ?? 0) - (earlier[i] ?? 0));
}

/** How many values were recorded. */
export function total(histogram: Histogram): number {
  let sum = 0;
  for (let i = 0; i < BUCKETS; i++) sum += histogram[i] ?? 0;
  return sum;
}

/**
 * The quantile `q` (0..1): the smallest recorded value with at least `q` of all values at or below it.
 * `undefined` when nothing was recorded.
 */
export function quantile(histogram: Histogram, q: number): Quantile | undefined {
  const count = total(histogram);
  if (count <= 0) return undefined;
  const rank = Math.max(1, Math.ceil(Math.min(1, Math.max(0, q)) * count));
  let seen = 0;
  let bucket = 0;
  for (; bucket < BUCKETS - 1; bucket++) {
    seen += histogram[bucket] ?? 0;
    if (seen >= rank) break;
  }
  const low = bucketFloor(bucket);
  const high = bucketFloor(bucket + 1);
  return { estimate: (low + high) / 2, low, high };
}

/** Counts as sparse pairs, for JSON. */
export function toCounts(histogram: Histogram): number[] {
  const pairs: number[] = [];
  for (let i = 0; i < BUCKETS; i++) {
    const count = histogram[i] ?? 0;
    if (count > 0) pairs.push(i, count);
  }
  return pairs;
}

/** Sparse pairs back into dense counts. Buckets that do not exist are left out, so that foreign data cannot break a reader. */
export function fromCounts(counts: HistogramCounts): Histogram {
  const histogram = createHistogram();
  addCounts(histogram, counts);
  return histogram;
}

/** Adds sparse pairs to `histogram`, in place: what was recorded over time, or of several services, as one. */
export function addCounts(histogram: Histogram, counts: HistogramCounts): void {
  for (let i = 0; i + 1 < counts.length; i += 2) {
    const bucket = counts[i] ?? -1;
    const count = counts[i + 1] ?? 0;
    if (bucket >= 0 && bucket < BUCKETS && count > 0) histogram[bucket] = (histogram[bucket] ?? 0) + count;
  }
}

/** The average in milliseconds, each value taken for the middle of its bucket; `undefined` when nothing was recorded. */
export function average(histogram: Histogram): number | undefined {
  let count = 0;
  let sum = 0;
  for (let i = 0; i < BUCKETS; i++) {
    const here = histogram[i] ?? 0;
    if (here === 0) continue;
    count += here;
    sum += (here * (bucketFloor(i) + bucketFloor(i + 1))) / 2;
  }
  return count === 0 ? undefined : sum / count;
}
