import type { HistogramCounts } from '../../lib/histogram.ts';

/**
 * What an edge reports about a canary, and how reports of restarted or several edges are kept together.
 *
 * The unit of all evidence is the session (a request without cookie is a session of its own). The edge counts a unit
 * once for each rollout and metric, at its first bad event, under the weight that was in force then. Counts are
 * cumulative for one life ("epoch") of one edge, so a lost report loses nothing and a repeated one changes nothing.
 */

/**
 * - `errors`: 5xx, failed connect, timeout or truncated reply of the upstream.
 * - `slowP75`, `slowP95`: time to first byte above the baseline's quantile, frozen before the canary started.
 */
export const METRICS = ['errors', 'slowP75', 'slowP95'] as const;
export type Metric = (typeof METRICS)[number];

export type Arm = 'canary' | 'baseline';

/**
 * Bad units by owner, first seen bad while `weight` percent (0..100, fractions allowed) of sessions went to the canary.
 * Those of 100 % count too: the owner test skips them, the window test is made of them.
 */
export interface WeightCounts {
  readonly weight: number;
  readonly canary: number;
  readonly baseline: number;
}

/**
 * What a report counts. `sessions`, as everywhere at evenkeel's own edge; or `requests`, where another one steers the
 * traffic and counts for itself: see counts-test.ts.
 */
export type Unit = 'sessions' | 'requests';

/** Cumulative totals of one release since the canary started. */
export interface ArmTotals {
  /** Requests judged: those of an instance's first 30 s are left out of the slow counts and of `ttfb`, not of this. */
  readonly requests: number;
  /** Distinct sessions that sent them; a request without cookie is one. */
  readonly sessions: number;
  /** Bad requests (not sessions): the numerator of the error rate that a person sees. */
  readonly bad: number;
  /** Requests with a time to first byte above the frozen quantile. */
  readonly slowP75: number;
  readonly slowP95: number;
  /** Time to first byte, milliseconds, as sparse histogram counts. */
  readonly ttfb: HistogramCounts;
}

/**
 * What is filed under this is about requests that were not split by chance: whoever asked is itself a canary or a
 * baseline of the rollout, and is answered by the release that belongs to it. It can be held against limits, but says
 * nothing about the two beside each other.
 */
export const innerEvidenceOf = (rollout: string): string => `${rollout}/inner`;

export interface EvidenceReport {
  /** Names one life of one edge process; a restarted edge that lost its counts takes a new one. */
  readonly epoch: string;
  /** Grows with every report of an epoch. */
  readonly sequence: number;
  /** The rollout that the counts belong to. */
  readonly rollout: string;
  readonly metrics: Readonly<Record<Metric, readonly WeightCounts[]>>;
  readonly arms: Readonly<Record<Arm, ArmTotals>>;
  /** Absent: `sessions`. */
  readonly unit?: Unit | undefined;
  /** Wall time up to which everything is counted, where the counts come late; absent: up to now. */
  readonly countedUntil?: number | undefined;
}
