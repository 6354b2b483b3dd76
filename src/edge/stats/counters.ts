import type { Arm } from '../../domain/analysis/evidence.ts';
import { FORMER_RELEASES } from '../../domain/traffic/stats.ts';
import { add, createHistogram, record, toCounts } from '../../lib/histogram.ts';
import type { Histogram } from '../../lib/histogram.ts';
import type { ArmCounts, LifeCounts, ReleaseCounts } from './life-counts.ts';
import { SessionSketch } from './session-sketch.ts';

/** Counters of the hot path: plain fields, incremented where things happen. */

export class ReleaseCounters {
  readonly key: string;
  readonly release: string;
  requests = 0;
  readonly classes: [number, number, number, number, number] = [0, 0, 0, 0, 0];
  bad = 0;
  clientAborts = 0;
  retries = 0;
  readonly ttfb: Histogram = createHistogram();
  inFlight = 0;
  websockets = 0;

  constructor(key: string, release: string) {
    this.key = key;
    this.release = release;
  }

  /** A reply of this release: its status and time to first byte in milliseconds. */
  answered(status: number, ttfbMs: number): void {
    const at = Math.floor(status / 100) - 1;
    this.classes[at] = (this.classes[at] ?? 0) + 1;
    record(this.ttfb, ttfbMs);
  }

  /** Takes over what `other`, which counts nothing more, has counted. */
  absorb(other: ReleaseCounters): void {
    this.requests += other.requests;
    for (const [at, count] of other.classes.entries()) this.classes[at] = (this.classes[at] ?? 0) + count;
    this.bad += other.bad;
    this.clientAborts += other.clientAborts;
    this.retries += other.retries;
    add(this.ttfb, other.ttfb);
  }

  toCounts(): ReleaseCounts {
    const { key, release, requests, classes, bad, clientAborts, retries, inFlight, websockets } = this;
    const ttfb = toCounts(this.ttfb);
    return { key, release, requests, classes: [...classes], bad, clientAborts, retries, ttfb, inFlight, websockets };
  }
}

export class ServiceCounters {
  readonly key: string;
  heldTotal = 0;
  refused = 0;
  unserved = 0;

  constructor(key: string) {
    this.key = key;
  }
}

/** Totals of one side of a split. */
export class ArmCounters {
  requests = 0;
  bad = 0;
  slowP75 = 0;
  slowP95 = 0;
  readonly ttfb: Histogram = createHistogram();
  readonly sessions = new SessionSketch();

  toCounts(): ArmCounts {
    const { requests, bad, slowP75, slowP95 } = this;
    return { requests, bad, slowP75, slowP95, ttfb: toCounts(this.ttfb), sessions: this.sessions.encode() };
  }
}

export type ArmPair = Readonly<Record<Arm, ArmCounters>>;

/** Releases that left the table keep counts of their own for a while; then they are summed in one entry. */
const FORMER_RELEASES_KEPT = 20;

/** Everything that this process counted. */
export class CounterBook {
  readonly #releases = new Map<string, ReleaseCounters>();
  /** By service: what releases had counted that are not told apart any more. */
  readonly #former = new Map<string, ReleaseCounters>();
  readonly #services = new Map<string, ServiceCounters>();
  readonly #arms = new Map<string, ArmPair>();
  unrouted = 0;

  release(key: string, release: string): ReleaseCounters {
    const name = `${key} ${release}`;
    const known = this.#releases.get(name);
    if (known !== undefined) {
      // Every table names its releases here: what serves is the last to be forgotten, however old it is.
      this.#releases.delete(name);
      this.#releases.set(name, known);
      return known;
    }
    const made = new ReleaseCounters(key, release);
    this.#releases.set(name, made);
    this.#forgetFormer(key);
    return made;
  }

  service(key: string): ServiceCounters {
    const known = this.#services.get(key);
    if (known !== undefined) return known;
    const made = new ServiceCounters(key);
    this.#services.set(key, made);
    return made;
  }

  arms(rollout: string): ArmPair {
    const known = this.#arms.get(rollout);
    if (known !== undefined) return known;
    const made = { canary: new ArmCounters(), baseline: new ArmCounters() };
    this.#arms.set(rollout, made);
    return made;
  }

  forgetArms(rollout: string): void {
    this.#arms.delete(rollout);
  }

  #forgetFormer(key: string): void {
    const own = [...this.#releases].filter(([, counters]) => counters.key === key);
    for (const [name, counters] of own.slice(0, Math.max(0, own.length - FORMER_RELEASES_KEPT))) {
      if (counters.inFlight > 0) continue;
      this.#releases.delete(name);
      const former = this.#former.get(key) ?? new ReleaseCounters(key, FORMER_RELEASES);
      this.#former.set(key, former);
      former.absorb(counters);
    }
  }

  toCounts(): LifeCounts {
    return {
      releases: [...this.#former.values(), ...this.#releases.values()].map((counters) => counters.toCounts()),
      services: [...this.#services.values()].map(({ key, heldTotal, refused, unserved }) => ({
        key,
        heldTotal,
        refused,
        unserved,
      })),
      unrouted: this.unrouted,
      arms: Object.fromEntries(
        [...this.#arms].map(([rollout, { canary, baseline }]) => [
          rollout,
          { canary: canary.toCounts(), baseline: baseline.toCounts() },
        ]),
      ),
    };
  }
}
