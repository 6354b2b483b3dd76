import { addCounts, bucketFloor, bucketOf, createHistogram, fromCounts, toCounts } from '../../../lib/histogram.ts';
import { type IntervalCounts, NO_COUNTS, type ReleaseCounts } from '../../analysis/counts-test.ts';

/** What Cloud Monitoring tells of requests (v3, timeSeries.list), as far as it is read here. */
export interface TimeSeries {
  metric?: { type?: string; labels?: Record<string, string> };
  resource?: { labels?: Record<string, string> };
  points?: Point[];
}

export interface Point {
  interval?: { startTime?: string; endTime?: string };
  value?: { int64Value?: string; doubleValue?: number; distributionValue?: Distribution };
}

export interface Distribution {
  count?: string;
  bucketCounts?: string[];
  bucketOptions?: {
    exponentialBuckets?: { numFiniteBuckets?: number; growthFactor?: number; scale?: number };
    explicitBuckets?: { bounds?: number[] };
    linearBuckets?: { numFiniteBuckets?: number; width?: number; offset?: number };
  };
}

export const REQUEST_COUNT = 'run.googleapis.com/request_count';
export const REQUEST_LATENCIES = 'run.googleapis.com/request_latencies';

/** What one revision had in one interval. */
export interface RevisionCounts {
  requests: number;
  /** By class: index 0 is 1xx, 4 is 5xx. */
  classes: number[];
  /** ms, as sparse histogram counts. */
  times: readonly number[];
}

/** Counts by interval (its end, wall time in ms) and revision. */
export type Counted = Map<number, Map<string, RevisionCounts>>;

/**
 * Puts series together by interval. Their points need not end at the same moment: each counts for the period that it
 * ends in, so that what is compared lies side by side. `timeOf` reads a time as the API writes it, as wall time in ms.
 */
export function countSeries(
  series: readonly TimeSeries[],
  { periodMs, timeOf }: { periodMs: number; timeOf: (text: string) => number },
): Counted {
  const counted: Counted = new Map();
  for (const each of series) {
    const revision = each.resource?.labels?.['revision_name'] ?? '';
    const type = each.metric?.type ?? '';
    if (revision === '') continue;
    for (const { interval, value } of each.points ?? []) {
      const end = timeOf(interval?.endTime ?? '');
      if (Number.isNaN(end) || value === undefined) continue;
      const at = Math.ceil(end / periodMs) * periodMs;
      const revisions = counted.get(at) ?? new Map<string, RevisionCounts>();
      counted.set(at, revisions);
      const counts = revisions.get(revision) ?? { requests: 0, classes: [0, 0, 0, 0, 0], times: [] };
      revisions.set(revision, counts);
      if (type === REQUEST_COUNT) addRequests(counts, each, Number(value.int64Value ?? value.doubleValue ?? 0));
      if (type === REQUEST_LATENCIES && value.distributionValue !== undefined)
        counts.times = plus(counts.times, timesOf(value.distributionValue));
    }
  }
  return counted;
}

function addRequests(counts: RevisionCounts, { metric }: TimeSeries, requests: number): void {
  const code = metric?.labels?.['response_code_class'] ?? metric?.labels?.['response_code'] ?? '';
  const index = Number(code.charAt(0)) - 1;
  counts.requests += requests;
  if (index >= 0 && index < 5) counts.classes[index] = (counts.classes[index] ?? 0) + requests;
}

export function plus(one: readonly number[], other: readonly number[]): number[] {
  const sum = fromCounts(one);
  addCounts(sum, other);
  return toCounts(sum);
}

/**
 * A distribution as counts of our own buckets: each of its buckets counts at its upper bound, since what is held against
 * a limit must not look faster than it was. Its buckets are wide (up to twice their lower bound), so are quantiles.
 */
export function timesOf(distribution: Distribution): number[] {
  const histogram = createHistogram();
  for (const [index, text] of (distribution.bucketCounts ?? []).entries()) {
    const count = Number(text);
    if (!(count > 0)) continue;
    const bucket = bucketOf(upperBound(distribution, index));
    histogram[bucket] = (histogram[bucket] ?? 0) + count;
  }
  return toCounts(histogram);
}

/** ms; of the last one, which has none, its lower bound. */
function upperBound({ bucketOptions = {} }: Distribution, index: number): number {
  const { exponentialBuckets, explicitBuckets, linearBuckets } = bucketOptions;
  if (explicitBuckets !== undefined) {
    const { bounds = [] } = explicitBuckets;
    return bounds[Math.min(index, bounds.length - 1)] ?? 0;
  }
  if (linearBuckets !== undefined) {
    const { numFiniteBuckets = 0, width = 0, offset = 0 } = linearBuckets;
    return offset + width * Math.min(index, numFiniteBuckets);
  }
  const { numFiniteBuckets = 0, growthFactor = 1, scale = 1 } = exponentialBuckets ?? {};
  return scale * growthFactor ** Math.min(index, numFiniteBuckets);
}

/** The intervals of a canary beside its baseline; a release may have several revisions. */
export function intervalsOf(
  counted: Counted,
  of: { canary: ReadonlySet<string>; baseline: ReadonlySet<string>; slow: { p75Ms: number; p95Ms: number } | null },
  periodMs: number,
): IntervalCounts[] {
  return [...counted]
    .toSorted(([a], [b]) => a - b)
    .map(([until, revisions]) => ({
      from: until - periodMs,
      until,
      canary: countsOf(revisions, of.canary, of.slow),
      baseline: countsOf(revisions, of.baseline, of.slow),
    }));
}

function countsOf(
  revisions: ReadonlyMap<string, RevisionCounts>,
  mine: ReadonlySet<string>,
  slow: { p75Ms: number; p95Ms: number } | null,
): ReleaseCounts {
  let sum = NO_COUNTS;
  for (const [revision, { requests, classes, times }] of revisions) {
    if (!mine.has(revision)) continue;
    sum = {
      requests: sum.requests + requests,
      bad: sum.bad + (classes[4] ?? 0),
      timed: sum.timed + countAbove(times, -1),
      slowP75: sum.slowP75 + (slow === null ? 0 : countAbove(times, slow.p75Ms)),
      slowP95: sum.slowP95 + (slow === null ? 0 : countAbove(times, slow.p95Ms)),
      times: plus(sum.times, times),
    };
  }
  return sum;
}

/** Those in buckets that begin at `ms` or above: the quantile is the upper end of the bucket that holds it. */
function countAbove(times: readonly number[], ms: number): number {
  let sum = 0;
  for (let i = 0; i + 1 < times.length; i += 2) if (bucketFloor(times[i] ?? 0) >= ms) sum += times[i + 1] ?? 0;
  return sum;
}
