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

type Units = Record<Metric, Set<number>>;

const noUnits = (): Units => ({ errors: new Set(), slowP75: new Set(), slowP95: new Set() });

/** Microseconds since the boot. */
const now = (): number => Math.floor(Number(process.hrtime.bigint() / 1_000n));

interface Met {
  readonly event: BadEvent;
  /** In this epoch, so it belongs into its report. */
  readonly counted: boolean;
}

/**
 * Evidence about one canary: whose sessions had a first bad event, and the totals of both sides. A session may reach
 * several workers. Each writes the first bad event that it met itself; which was the first of all is settled with every
 * report, from what all had written by then, in the order in which it happened.
 */
export class RolloutEvidence {
  readonly rollout: string;
  readonly #journal: EvidenceJournal;
  readonly #arms: ArmPair;
  /** Settled: counted, by the event that came first. */
  readonly #units = noUnits();
  /** Whether this process is asked for reports. The others write down what they meet, and keep of it whose it was. */
  readonly #reports: boolean;
  /** Met by this process since the last report. */
  #own: BadEvent[] = [];
  /** Of a process that does not report. */
  readonly #unwritten: BadEvent[] = [];
  #ownUnits = noUnits();
  /** Of other processes, and younger than the moment that the last report was of. */
  #early: Met[] = [];
  readonly #counts: Record<Metric, Map<number, { canary: number; baseline: number }>> = {
    errors: new Map(),
    slowP75: new Map(),
    slowP95: new Map(),
  };

  constructor(rollout: string, journal: EvidenceJournal, { arms, reports }: { arms: ArmPair; reports: boolean }) {
    this.rollout = rollout;
    this.#reports = reports;
    this.#journal = journal;
    this.#arms = arms;
    // What is there already happened before, and perhaps before a reboot, when the clock was another one.
    this.#settle(Number.POSITIVE_INFINITY);
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
    this.#settle(now());
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

  /** Forgets it here; others still need what was written. */
  close(): void {
    this.#journal.close();
  }

  /** What could not be written, so that nobody else knows of it. Told again and again: an answer may be lost. */
  get unwritten(): readonly BadEvent[] {
    return this.#unwritten;
  }

  /** Takes what another worker could not write. */
  take(events: readonly BadEvent[]): void {
    for (const event of events)
      if (!this.#units[event.metric].has(event.hash)) this.#early.push({ event, counted: true });
  }

  #unitEvent(metric: Metric, { owner, hash, weight }: Pick<Judged, 'owner' | 'hash' | 'weight'>): void {
    // At 100 % an event says nothing about the sides, but the window test counts the sessions that turned bad.
    if (weight <= 0) return;
    const settled = this.#units[metric];
    const own = this.#ownUnits[metric];
    if (settled.size + own.size >= MAX_UNITS || settled.has(hash) || own.has(hash)) return;
    own.add(hash);
    const event: BadEvent = { metric, weight, owner, hash, at: now() };
    const written = this.#journal.append(event);
    if (this.#reports) this.#own.push(event);
    else if (!written) this.#unwritten.push(event);
  }

  /**
   * Counts each unit at its first event among all that happened until `until`; everything until then is written by now.
   * What others wrote later waits for what happened before it and is not read yet.
   */
  #settle(until: number): void {
    const met: Met[] = [...this.#early, ...this.#journal.readOthers()];
    for (const event of this.#own) met.push({ event, counted: true });
    this.#own = [];
    this.#ownUnits = noUnits();
    // Across a reboot the clock began anew: what is no event of this epoch was before all of it.
    met.sort((a, b) => Number(a.counted) - Number(b.counted) || a.event.at - b.event.at);
    this.#early = [];
    for (const each of met) {
      const { event, counted } = each;
      const units = this.#units[event.metric];
      if (units.has(event.hash)) continue;
      if (event.at > until && counted) this.#early.push(each);
      else if (units.size < MAX_UNITS) {
        units.add(event.hash);
        if (counted) this.#count(event);
      }
    }
  }

  #count({ metric, weight, owner }: BadEvent): void {
    const counts = this.#counts[metric].get(weight) ?? { canary: 0, baseline: 0 };
    counts[owner]++;
    this.#counts[metric].set(weight, counts);
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
