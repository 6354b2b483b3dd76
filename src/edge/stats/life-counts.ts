import { z } from 'zod';
import { FORMER_RELEASES } from '../../domain/traffic/stats.ts';
import { add, fromCounts, toCounts } from '../../lib/histogram.ts';
import { SessionSketch } from './session-sketch.ts';

/** What one edge process counted in its life, as it is kept in a file. Everything in it can be added up. */

const int = z.number().int().nonnegative();

const releaseCountsSchema = z.object({
  key: z.string(),
  release: z.string(),
  requests: int,
  classes: z.array(int).length(5),
  bad: int,
  clientAborts: int,
  retries: int,
  ttfb: z.array(z.number()),
  /** Gauges: only a living process has any. */
  inFlight: int,
  websockets: int,
});

const armCountsSchema = z.object({
  requests: int,
  bad: int,
  slowP75: int,
  slowP95: int,
  ttfb: z.array(z.number()),
  sessions: z.string(),
});

export const lifeCountsSchema = z.object({
  releases: z.array(releaseCountsSchema),
  services: z.array(z.object({ key: z.string(), heldTotal: int, refused: int, unserved: int })),
  unrouted: int,
  arms: z.record(z.string(), z.object({ canary: armCountsSchema, baseline: armCountsSchema })),
});

export type ReleaseCounts = z.infer<typeof releaseCountsSchema>;
export type ArmCounts = z.infer<typeof armCountsSchema>;
export type LifeCounts = z.infer<typeof lifeCountsSchema>;

export const NO_COUNTS: LifeCounts = { releases: [], services: [], unrouted: 0, arms: {} };

const addHistograms = (a: readonly number[], b: readonly number[]): number[] => {
  const sum = fromCounts(a);
  add(sum, fromCounts(b));
  return toCounts(sum);
};

const addSketches = (a: string, b: string): string => {
  const sketch = SessionSketch.decode(a);
  sketch.merge(SessionSketch.decode(b));
  return sketch.encode();
};

const addReleases = (a: ReleaseCounts, b: ReleaseCounts): ReleaseCounts => ({
  key: a.key,
  release: a.release,
  requests: a.requests + b.requests,
  classes: a.classes.map((count, index) => count + (b.classes[index] ?? 0)),
  bad: a.bad + b.bad,
  clientAborts: a.clientAborts + b.clientAborts,
  retries: a.retries + b.retries,
  ttfb: addHistograms(a.ttfb, b.ttfb),
  inFlight: a.inFlight + b.inFlight,
  websockets: a.websockets + b.websockets,
});

const addArms = (a: ArmCounts, b: ArmCounts): ArmCounts => ({
  requests: a.requests + b.requests,
  bad: a.bad + b.bad,
  slowP75: a.slowP75 + b.slowP75,
  slowP95: a.slowP95 + b.slowP95,
  ttfb: addHistograms(a.ttfb, b.ttfb),
  sessions: addSketches(a.sessions, b.sessions),
});

/** Entries of both lists; those with the same name added. What `b` names is the newest, and comes last. */
function addBy<T>(a: readonly T[], b: readonly T[], name: (item: T) => string, sum: (x: T, y: T) => T): T[] {
  const all = new Map(a.map((item) => [name(item), item]));
  for (const item of b) {
    const known = all.get(name(item));
    all.delete(name(item));
    all.set(name(item), known === undefined ? item : sum(known, item));
  }
  return [...all.values()];
}

export function addCounts(a: LifeCounts, b: LifeCounts): LifeCounts {
  const arms = { ...a.arms };
  for (const [rollout, theirs] of Object.entries(b.arms)) {
    const ours = arms[rollout];
    arms[rollout] =
      ours === undefined
        ? theirs
        : { canary: addArms(ours.canary, theirs.canary), baseline: addArms(ours.baseline, theirs.baseline) };
  }
  return {
    releases: addBy(a.releases, b.releases, ({ key, release }) => `${key} ${release}`, addReleases),
    services: addBy(
      a.services,
      b.services,
      ({ key }) => key,
      (x, y) => ({
        key: x.key,
        heldTotal: x.heldTotal + y.heldTotal,
        refused: x.refused + y.refused,
        unserved: x.unserved + y.unserved,
      }),
    ),
    unrouted: a.unrouted + b.unrouted,
    arms,
  };
}

/** The same with all but the last `kept` releases of each service summed in one entry. */
export function foldFormer(counts: LifeCounts, kept: number): LifeCounts {
  const own = new Map<string, number>();
  const apart: ReleaseCounts[] = [];
  const former = new Map<string, ReleaseCounts>();
  for (const each of counts.releases.toReversed()) {
    const { key, release } = each;
    const seen = own.get(key) ?? 0;
    if (release !== FORMER_RELEASES && seen < kept) {
      own.set(key, seen + 1);
      apart.push(each);
      continue;
    }
    const known = former.get(key);
    former.set(key, known === undefined ? { ...each, release: FORMER_RELEASES } : addReleases(known, each));
  }
  return { ...counts, releases: [...former.values(), ...apart.toReversed()] };
}

/** The same without gauges: what a process that is gone leaves to the sum. */
export const withoutGauges = (counts: LifeCounts): LifeCounts => ({
  ...counts,
  releases: counts.releases.map((release) => ({ ...release, inFlight: 0, websockets: 0 })),
});
