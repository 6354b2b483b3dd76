import type { HistogramCounts } from '../../lib/histogram.ts';
import { add, createHistogram, fromCounts, toCounts } from '../../lib/histogram.ts';
import { type ArmTotals, type EvidenceReport, METRICS, type Metric, type WeightCounts } from './evidence.ts';
import { EMPTY_ARM } from './evidence-store.ts';

/**
 * The counts test: the owner test where nobody can say which session a bad request belonged to, because another steers
 * the traffic and tells afterwards, interval by interval, how many requests each release had and how many were bad.
 *
 * Take one interval in which the split did not change, with `n` requests, `m` of them the canary's, and `b` bad ones. If
 * the release changes nothing and every request was sent by chance, each `m` of the `n` are as likely to be the
 * canary's as any other, so the number of bad ones among them is hypergeometric, whatever traffic, time of day, a common
 * outage, or one client in a loop do: those decide which requests are bad, not where they go. The likelihood ratio of
 * the owner test, taken with w = m / n, has a mean of at most 1 under it: for the binomial distribution it is exactly
 * 1, and rho^x is convex, of which the hypergeometric has the smaller mean (Hoeffding 1963, theorem 4). The product over
 * intervals is therefore a supermartingale, and Ville's bound holds at every look, as there. So the same arithmetic
 * serves: an interval is evidence at the weight that it really had.
 *
 * What it assumes, and the owner test does not:
 * - Each request is sent on its own. With session affinity the requests of one client stay together, and are counted as
 *   if they did not: then false alarms are frequent (simulated in bench/analysis/counts.ts). It must be off.
 * - The split was the same all through an interval. Those in which it changed are left out (`evenIntervals`): otherwise
 *   an outage beside a change of the split would look like a difference.
 * - An interval is looked at once its counts are complete. `countedUntil` says up to when that is.
 */
export interface IntervalCounts {
  /** Wall time, ms. */
  readonly from: number;
  readonly until: number;
  readonly canary: ReleaseCounts;
  readonly baseline: ReleaseCounts;
}

/** What one release had in an interval. */
export interface ReleaseCounts {
  readonly requests: number;
  readonly bad: number;
  /** Requests whose time is known: usually all of them. */
  readonly timed: number;
  /** Of these, above the baseline's quantile. */
  readonly slowP75: number;
  readonly slowP95: number;
  /** Time of an answer, ms. */
  readonly times: HistogramCounts;
}

export const NO_COUNTS: ReleaseCounts = { requests: 0, bad: 0, timed: 0, slowP75: 0, slowP95: 0, times: [] };

/**
 * From `at` on (wall time, ms) the canary had `weight` percent. At 0 nobody was sent to it by chance, and below 0 nobody
 * knows: both are no evidence.
 */
export interface Split {
  readonly at: number;
  readonly weight: number;
}

/**
 * The intervals in which the split stood still, with the weight that it had: none that begins sooner than `settleMs`
 * after a change or ends after the next. `splits` in the order of time; what was before the first is left out.
 */
export function evenIntervals<T extends { from: number; until: number }>(
  intervals: readonly T[],
  splits: readonly Split[],
  settleMs: number,
): { interval: T; weight: number }[] {
  return intervals.flatMap((interval) => {
    const index = splits.findLastIndex(({ at }) => at <= interval.from);
    const split = splits[index];
    const next = splits[index + 1];
    if (split === undefined || split.weight <= 0 || interval.from < split.at + settleMs) return [];
    return next !== undefined && next.at < interval.until ? [] : [{ interval, weight: split.weight }];
  });
}

/** What intervals of an even split say, as a report that the rest of the analysis reads like any other. */
export function countsReport(
  even: readonly { interval: IntervalCounts; weight: number }[],
  mark: { rollout: string; epoch: string; sequence: number; countedUntil: number },
): EvidenceReport {
  const metric = (name: Metric): WeightCounts[] => even.flatMap((each) => weightCounts(name, each));
  return {
    ...mark,
    unit: 'requests',
    metrics: Object.fromEntries(METRICS.map((name) => [name, metric(name)])) as Record<Metric, WeightCounts[]>,
    arms: {
      canary: totals(even.map(({ interval }) => interval.canary)),
      // At 100 % nothing runs beside it; what still came in was sent before.
      baseline: totals(even.flatMap(({ interval, weight }) => (weight >= 100 ? [] : [interval.baseline]))),
    },
  };
}

function weightCounts(
  metric: Metric,
  { interval, weight }: { interval: IntervalCounts; weight: number },
): WeightCounts[] {
  const [canary, baseline] = [eventsOf(metric, interval.canary), eventsOf(metric, interval.baseline)];
  if (weight >= 100) return canary.events === 0 ? [] : [{ weight: 100, canary: canary.events, baseline: 0 }];
  // With one possible owner it says nothing, and must not pass for what came while the release was alone.
  if (canary.of === 0 || baseline.of === 0 || canary.events + baseline.events === 0) return [];
  const share = (100 * canary.of) / (canary.of + baseline.of);
  return [{ weight: share, canary: canary.events, baseline: baseline.events }];
}

/** No more events than there are requests for them: the two come from different counters. */
function eventsOf(metric: Metric, counts: ReleaseCounts): { events: number; of: number } {
  const of = metric === 'errors' ? counts.requests : counts.timed;
  const events = metric === 'errors' ? counts.bad : counts[metric];
  return { events: Math.min(events, of), of };
}

function totals(all: readonly ReleaseCounts[]): ArmTotals {
  const times = createHistogram();
  for (const each of all) add(times, fromCounts(each.times));
  const sum = all.reduce<ArmTotals>(
    (total, each) => ({
      ...total,
      requests: total.requests + each.requests,
      // Every request is a unit of its own.
      sessions: total.sessions + each.requests,
      bad: total.bad + Math.min(each.bad, each.requests),
      slowP75: total.slowP75 + each.slowP75,
      slowP95: total.slowP95 + each.slowP95,
    }),
    EMPTY_ARM,
  );
  return { ...sum, ttfb: toCounts(times) };
}
