import { METRICS } from '../../domain/analysis/evidence.ts';
import type { Arm, ArmTotals, EvidenceReport, Metric, WeightCounts } from '../../domain/analysis/evidence.ts';
import { record } from '../../lib/histogram.ts';
import type { ArmPair } from './counters.ts';
import type { BadEvent, EvidenceJournal } from './evidence-journal.ts';
import type { ArmCounts, LifeCounts } from './life-counts.ts';
import { SessionSketch } from './session-sketch.ts';

/**
 * More bad units than any verdict needs. Beyond it none is counted for that metric, which bounds memory and journal,
 * and keeps the test valid: when counting stops does not depend on who owns the next unit.
 */
const MAX_UNITS = 100_000;

export interface SlowLimits {
  readonly p75Ms: number;
  readonly p95Ms: number;
}

/** One judged reply (or its absence), as it counts for the release that was chosen first. */
export interface Judged {
  readonly owner: Arm;
  /** The session's hash: it counts once for each metric. */
  readonly hash: number;
  /** The canary's weight in percent when the release was chosen. */
  readonly weight: number;
  readonly bad: boolean;
  /** Milliseconds; null when its time is no evidence (no reply, another release answered, an instance's first seconds). */
  readonly ttfbMs: number | null;
}

/** Evidence about one canary: whose sessions had a first bad event, and the totals of both sides. */
export class RolloutEvidence {
  readonly rollout: string;
  readonly #journal: EvidenceJournal;
  readonly #arms: ArmPair;
  readonly #units: Record<Metric, Set<number>> = { errors: new Set(), slowP75: new Set(), slowP95: new Set() };
  readonly #counts: Record<Metric, Map<number, { canary: number; baseline: number }>> = {
    errors: new Map(),
    slowP75: new Map(),
    slowP95: new Map(),
  };

  constructor(rollout: string, journal: EvidenceJournal, arms: ArmPair) {
    this.rollout = rollout;
    this.#journal = journal;
    this.#arms = arms;
    this.#readOthers();
  }

  judge(judged: Judged, slow: SlowLimits | null): void {
    const arm = this.#arms[judged.owner];
    arm.requests++;
    arm.sessions.add(judged.hash);
    if (judged.bad) this.badRequest(judged);
    const { ttfbMs } = judged;
    if (ttfbMs === null) return;
    record(arm.ttfb, ttfbMs);
    if (slow === null) return;
    if (ttfbMs > slow.p75Ms) {
      arm.slowP75++;
      this.#unitEvent('slowP75', judged);
    }
    if (ttfbMs > slow.p95Ms) {
      arm.slowP95++;
      this.#unitEvent('slowP95', judged);
    }
  }

  /** A reply that was already judged turned out bad: it broke off. */
  badRequest(judged: Pick<Judged, 'owner' | 'hash' | 'weight'>): void {
    this.#arms[judged.owner].bad++;
    this.#unitEvent('errors', judged);
  }

  /** `totals`: the sums of the epoch, this process included. */
  report(epoch: string, sequence: number, totals: LifeCounts): EvidenceReport {
    this.#readOthers();
    const arms = totals.arms[this.rollout];
    const metrics = Object.fromEntries(METRICS.map((metric) => [metric, this.#weights(metric)]));
    return {
      epoch,
      sequence,
      rollout: this.rollout,
      metrics: metrics as Record<Metric, WeightCounts[]>,
      arms: { canary: armTotals(arms?.canary), baseline: armTotals(arms?.baseline) },
    };
  }

  remove(): void {
    this.#journal.remove();
  }

  #unitEvent(metric: Metric, { owner, hash, weight }: Pick<Judged, 'owner' | 'hash' | 'weight'>): void {
    // At 100 % an event says nothing about the sides, but the window test counts the sessions that turned bad.
    if (weight <= 0) return;
    const event: BadEvent = { metric, weight, owner, hash };
    if (!this.#note(event)) return;
    this.#journal.append(event);
    this.#count(event);
  }

  /** Whether the unit is new to the metric. */
  #note({ metric, hash }: BadEvent): boolean {
    const units = this.#units[metric];
    if (units.size >= MAX_UNITS || units.has(hash)) return false;
    units.add(hash);
    return true;
  }

  #count({ metric, weight, owner }: BadEvent): void {
    const counts = this.#counts[metric].get(weight) ?? { canary: 0, baseline: 0 };
    counts[owner]++;
    this.#counts[metric].set(weight, counts);
  }

  /** Former lives of the edge, and one that still drains. */
  #readOthers(): void {
    for (const { event, counted } of this.#journal.readOthers()) if (this.#note(event) && counted) this.#count(event);
  }

  #weights(metric: Metric): WeightCounts[] {
    return [...this.#counts[metric]]
      .map(([weight, counts]) => ({ weight, ...counts }))
      .toSorted((a, b) => a.weight - b.weight);
  }
}

function armTotals(counts: ArmCounts | undefined): ArmTotals {
  if (counts === undefined) return { requests: 0, sessions: 0, bad: 0, slowP75: 0, slowP95: 0, ttfb: [] };
  return { ...counts, sessions: SessionSketch.decode(counts.sessions).count() };
}
