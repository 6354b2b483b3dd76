import { bucketFloor, type HistogramCounts, fromCounts, quantile } from '../../lib/histogram.ts';
import type { ArmTotals, Metric } from './evidence.ts';
import { type Interval, quantileInterval, shareInterval } from './interval.ts';
import type { EvidenceTotals } from './evidence-store.ts';
import { logThreshold, ownerTest, SHARES } from './owner-test.ts';
import { unitsOf, windowTest } from './window-test.ts';

/** The limits of a release, from the configuration. A metric without limit can warn, never fail. */
export interface Limits {
  /** Share of requests, 0..1, that the error rate must stay below. */
  readonly errorRate?: number | undefined;
  /** Milliseconds that the 95th percentile of the time to first byte must stay below. */
  readonly p95Ms?: number | undefined;
}

/**
 * - `ok`: within its limit, and not proven worse.
 * - `warn`: proven worse than the baseline, but within the limit.
 * - `hold`: over the limit, but not proven: chance, or a trouble that the baseline has too.
 * - `fail`: proven, and over the limit.
 */
export type MetricState = 'ok' | 'warn' | 'hold' | 'fail';

export interface MetricVerdict {
  /** `p95` is the window's test of latency; beside a baseline latency is judged by `slowP75` and `slowP95`. */
  readonly metric: Metric | 'p95';
  /** What the observed values are: an error rate (0..1), or the 95th percentile in milliseconds. */
  readonly unit: 'rate' | 'ms';
  /** null: nothing was observed. */
  readonly canary: number | null;
  readonly baseline: number | null;
  /** How uncertain they are; absent or null: nothing was observed. */
  readonly canaryRange?: Interval | null | undefined;
  readonly baselineRange?: Interval | null | undefined;
  readonly limit: number | null;
  /** Evidence, as a likelihood ratio, cut at `MAX_E` so that JSON can say it. Proven at `threshold`. */
  readonly e: number;
  readonly logE: number;
  /** Share of alpha that this test has. */
  readonly share: number;
  /** 1 / (alpha x share). */
  readonly threshold: number;
  /** How far the evidence has come: ln E / ln threshold, 0..1. */
  readonly progress: number;
  readonly state: MetricState;
}

export const MAX_E = 1e12;

/** The metrics of a canary beside its baseline. `tests` services that are judged as one unit share one alpha. */
export function ownerMetrics(totals: EvidenceTotals, limits: Limits, tests: number): MetricVerdict[] {
  const { canary, baseline } = totals.arms;
  const metric = (name: Metric) => ({
    metric: name,
    logE: ownerTest(totals.metrics[name]),
    share: SHARES[name] / tests,
  });
  const p95 = latencyOf(canary, baseline, limits);
  return [
    metricVerdict({ ...metric('errors'), ...errorsOf(canary, baseline, limits) }),
    metricVerdict({ ...metric('slowP75'), ...p95 }),
    metricVerdict({ ...metric('slowP95'), ...p95 }),
  ];
}

/**
 * The metrics of a release that has all traffic, against the limits alone. `since` is what it saw since then. Errors and
 * latency have half of the window's share each. `baseline` is what was seen of the former release before, to show.
 */
export function windowMetrics(
  since: ArmTotals,
  totals: EvidenceTotals,
  limits: Limits,
  tests: number,
): MetricVerdict[] {
  const share = SHARES.window / 2 / tests;
  const { requests, sessions } = since;
  const errors = { requests, sessions, bad: since.bad, badSessions: soleOwner(totals, 'errors') };
  const over = limits.p95Ms === undefined ? 0 : countFrom(since.ttfb, limits.p95Ms);
  // Nobody counts sessions over the limit; those over the baseline's p95 are at least as many while that is below it.
  const timed = since.ttfb.length > 0 ? countFrom(since.ttfb, 0) : 0;
  const slow = {
    requests: timed,
    sessions: unitsOf(requests, sessions) * (requests > 0 ? Math.min(1, timed / requests) : 0),
    bad: over,
    badSessions: Math.min(over, soleOwner(totals, 'slowP95')),
  };
  const former = totals.arms.baseline;
  return [
    metricVerdict({
      metric: 'errors',
      ...errorsOf(since, former, limits),
      logE: limits.errorRate === undefined ? 0 : windowTest(errors, limits.errorRate),
      share,
    }),
    metricVerdict({
      metric: 'p95',
      ...latencyOf(since, former, limits),
      logE: limits.p95Ms === undefined ? 0 : windowTest(slow, 0.05),
      share,
    }),
  ];
}

function metricVerdict(
  facts: Omit<MetricVerdict, 'limit' | 'e' | 'threshold' | 'progress' | 'state'> & { limit: number | undefined },
): MetricVerdict {
  const { canary, limit, logE, share } = facts;
  const needed = logThreshold(share);
  const proven = logE >= needed;
  const over = canary !== null && limit !== undefined && canary >= limit;
  return {
    ...facts,
    limit: limit ?? null,
    e: Math.min(MAX_E, Math.exp(logE)),
    threshold: Math.exp(needed),
    progress: Math.min(1, Math.max(0, logE / needed)),
    state: proven ? (over ? 'fail' : 'warn') : over ? 'hold' : 'ok',
  };
}

function errorsOf(canary: ArmTotals, baseline: ArmTotals, limits: Limits) {
  return {
    unit: 'rate',
    canary: errorRate(canary),
    baseline: errorRate(baseline),
    canaryRange: shareInterval(canary.bad, canary.requests),
    baselineRange: shareInterval(baseline.bad, baseline.requests),
    limit: limits.errorRate,
  } as const;
}

function latencyOf(canary: ArmTotals, baseline: ArmTotals, limits: Limits) {
  const [ofCanary, ofBaseline] = [p95Of(canary), p95Of(baseline)];
  return {
    unit: 'ms',
    canary: ofCanary.value,
    baseline: ofBaseline.value,
    canaryRange: ofCanary.range,
    baselineRange: ofBaseline.range,
    limit: limits.p95Ms,
  } as const;
}

function errorRate(arm: ArmTotals): number | null {
  return arm.requests > 0 ? Math.min(1, arm.bad / arm.requests) : null;
}

function p95Of(arm: ArmTotals): { value: number | null; range: Interval | null } {
  const histogram = fromCounts(arm.ttfb);
  return { value: quantile(histogram, 0.95)?.estimate ?? null, range: quantileInterval(histogram, 0.95) };
}

/** Requests in buckets that lie wholly at or above `ms`. */
function countFrom(counts: HistogramCounts, ms: number): number {
  let sum = 0;
  for (let i = 0; i + 1 < counts.length; i += 2) if (bucketFloor(counts[i] ?? 0) >= ms) sum += counts[i + 1] ?? 0;
  return sum;
}

/** Units that turned bad while the release had all traffic. */
function soleOwner(totals: EvidenceTotals, metric: Metric): number {
  return totals.metrics[metric].reduce((sum, each) => sum + (each.weight >= 100 ? each.canary : 0), 0);
}
