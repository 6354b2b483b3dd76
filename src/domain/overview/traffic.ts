import {
  addCounts,
  average,
  createHistogram,
  type Histogram,
  type HistogramCounts,
  quantile,
} from '../../lib/histogram.ts';

/** What happened within one interval, of one release or of many. */
export interface Interval {
  requests: number;
  bad: number;
  /** Time to first byte. */
  ttfb: HistogramCounts;
}

/** Intervals added up, over time, releases and services: counts and histograms add exactly, quantiles do not. */
export interface Totals {
  requests: number;
  bad: number;
  ttfb: Histogram;
}

export const noTraffic = (): Totals => ({ requests: 0, bad: 0, ttfb: createHistogram() });

/** In place. */
export function addInterval(totals: Totals, { requests, bad, ttfb }: Interval): void {
  totals.requests += requests;
  totals.bad += bad;
  addCounts(totals.ttfb, ttfb);
}

export function totalsOf(intervals: Iterable<Interval>): Totals {
  const totals = noTraffic();
  for (const each of intervals) addInterval(totals, each);
  return totals;
}

/** What is said of requests; null where there were none to say it of. */
export interface Figures {
  requests: number;
  bad: number;
  /** 0..1. */
  errorRate: number | null;
  /** Milliseconds to the first byte. */
  averageMs: number | null;
  p50Ms: number | null;
  p95Ms: number | null;
  p99Ms: number | null;
}

export function figuresOf({ requests, bad, ttfb }: Totals): Figures {
  const at = (share: number): number | null => rounded(quantile(ttfb, share)?.estimate);
  return {
    requests,
    bad,
    errorRate: errorRateOf(requests, bad),
    averageMs: rounded(average(ttfb)),
    p50Ms: at(0.5),
    p95Ms: at(0.95),
    p99Ms: at(0.99),
  };
}

export const errorRateOf = (requests: number, bad: number): number | null =>
  requests === 0 ? null : Math.min(1, bad / requests);

/**
 * Share of good requests of all, 0..1. Nobody asked is not the same as everything went well: then it is null. A request is
 * bad when it got a 5xx, no connection, no answer in time, or half an answer.
 */
export const availabilityOf = (requests: number, bad: number): number | null => {
  const errors = errorRateOf(requests, bad);
  return errors === null ? null : 1 - errors;
};

/** A histogram knows a value to 1.6 %; more digits would only make replies longer. */
export const rounded = (value: number | null | undefined): number | null =>
  value === undefined || value === null ? null : Number(value.toPrecision(4));
