import { add, createHistogram, fromCounts, subtract, toCounts } from '../../lib/histogram.ts';
import {
  type Arm,
  type ArmTotals,
  type EvidenceReport,
  METRICS,
  type Metric,
  type Unit,
  type WeightCounts,
} from './evidence.ts';

/**
 * The evidence of one rollout as it is stored: for each life of each edge its last cumulative report. The mark
 * (epoch, sequence) makes merging idempotent: a repeated or late report changes nothing, a lost one is made up for by
 * the next, and an edge that begins again from zero adds to what its former life had seen.
 */
export interface StoredEvidence {
  readonly rollout: string;
  readonly epochs: Readonly<Record<string, EvidenceReport>>;
}

/** What all epochs together have seen. */
export interface EvidenceTotals {
  readonly metrics: Readonly<Record<Metric, readonly WeightCounts[]>>;
  readonly arms: Readonly<Record<Arm, ArmTotals>>;
  /** Absent: `sessions`. */
  readonly unit?: Unit | undefined;
}

export function noEvidence(rollout: string): StoredEvidence {
  return { rollout, epochs: {} };
}

/**
 * Takes a report in. Answers the same object when nothing changed (another rollout's report, or one whose sequence is
 * not higher than the epoch's last), so that the caller can skip the write.
 */
export function mergeEvidence(stored: StoredEvidence, report: EvidenceReport): StoredEvidence {
  if (report.rollout !== stored.rollout) return stored;
  const last = Object.hasOwn(stored.epochs, report.epoch) ? stored.epochs[report.epoch] : undefined;
  if (last !== undefined && report.sequence <= last.sequence) return stored;
  return { rollout: stored.rollout, epochs: { ...stored.epochs, [report.epoch]: report } };
}

/** Adds the epochs up. Counts of the same weight are one entry, ascending by weight. */
export function sumEvidence(stored: StoredEvidence): EvidenceTotals {
  const reports = Object.values(stored.epochs);
  const metric = (name: Metric) => sumWeights(reports.flatMap((report) => report.metrics[name]));
  const arm = (name: Arm) => sumArms(reports.map((report) => report.arms[name]));
  return {
    metrics: Object.fromEntries(METRICS.map((name) => [name, metric(name)])) as Record<Metric, WeightCounts[]>,
    arms: { canary: arm('canary'), baseline: arm('baseline') },
    ...(reports.some(({ unit }) => unit === 'requests') ? { unit: 'requests' as const } : {}),
  };
}

/** Wall time up to which all is counted, where counts come late; null: up to now. */
export function countedUntil(stored: StoredEvidence): number | null {
  const known = Object.values(stored.epochs).flatMap((report) => report.countedUntil ?? []);
  return known.length === 0 ? null : Math.max(...known);
}

export const EMPTY_ARM: ArmTotals = { requests: 0, sessions: 0, bad: 0, slowP75: 0, slowP95: 0, ttfb: [] };

/** What an arm saw since an earlier look, for a phase that is judged alone. Never negative. */
export function armSince(now: ArmTotals, earlier: ArmTotals): ArmTotals {
  const ttfb = fromCounts(now.ttfb);
  subtract(ttfb, fromCounts(earlier.ttfb));
  const since = (key: 'requests' | 'sessions' | 'bad' | 'slowP75' | 'slowP95') => Math.max(0, now[key] - earlier[key]);
  return {
    requests: since('requests'),
    sessions: since('sessions'),
    bad: since('bad'),
    slowP75: since('slowP75'),
    slowP95: since('slowP95'),
    ttfb: toCounts(ttfb),
  };
}

function sumWeights(counts: readonly WeightCounts[]): WeightCounts[] {
  const byWeight = new Map<number, WeightCounts>();
  for (const each of counts) {
    const sum = byWeight.get(each.weight);
    byWeight.set(each.weight, {
      weight: each.weight,
      canary: each.canary + (sum?.canary ?? 0),
      baseline: each.baseline + (sum?.baseline ?? 0),
    });
  }
  return [...byWeight.values()].toSorted((a, b) => a.weight - b.weight);
}

function sumArms(arms: readonly ArmTotals[]): ArmTotals {
  const only = arms[0];
  if (only !== undefined && arms.length === 1) return only;
  const ttfb = createHistogram();
  for (const arm of arms) add(ttfb, fromCounts(arm.ttfb));
  const sum = (key: 'requests' | 'sessions' | 'bad' | 'slowP75' | 'slowP95') =>
    arms.reduce((all, arm) => all + arm[key], 0);
  return {
    requests: sum('requests'),
    sessions: sum('sessions'),
    bad: sum('bad'),
    slowP75: sum('slowP75'),
    slowP95: sum('slowP95'),
    ttfb: toCounts(ttfb),
  };
}
