import { countsReport, evenIntervals, type IntervalCounts, NO_COUNTS } from '../../src/domain/analysis/counts-test.ts';
import { addOwners, logThreshold, ownerLogE, ownerState, SHARES } from '../../src/domain/analysis/owner-test.ts';
import { twoSampleBound } from '../../src/domain/analysis/two-sample-bound.ts';
import { Random } from './random.ts';

/**
 * How often the counts test takes an innocent release back, and how soon a bad one, where all that is known are requests
 * and bad requests of each release, minute by minute.
 */
export interface CountsOptions {
  readonly rollouts: number;
  readonly seed: number;
  /** Of both releases together. */
  readonly requestsPerMinute: number;
  /** Error rates; the same for an innocent release. */
  readonly baseline: number;
  readonly canary: number;
  /** Outages that both releases have, and clients that ask for something broken in a loop. */
  readonly outages: boolean;
  /** Requests of one client that stay together, as with session affinity; 1: every request is sent on its own. */
  readonly stuckTogether?: number;
  /** Left out intervals in which the split changed; false shows what that is good for. */
  readonly onlyEven?: boolean;
}

const MINUTE = 60_000;
/** 10 % for 10 minutes, 50 % for 5, then a wait for approvals. */
const SPLITS = [
  { at: 0, weight: 10 },
  { at: 10 * MINUTE + 25_000, weight: 50 },
];
const MINUTES = 30;
/** Intervals do not begin with a change of the split. */
const SLICES = 12;

/** Share of rollouts (0..1) in which the errors of a release were ever proven worse than those of the former. */
export function simulateCounts(options: CountsOptions): { proven: number } {
  const random = new Random(options.seed);
  let proven = 0;
  for (let i = 0; i < options.rollouts; i++) {
    const intervals = Array.from({ length: MINUTES }, (_, minute) => oneMinute(random, options, minute * MINUTE));
    if (firstProof(intervals, options.onlyEven ?? true) !== null) proven++;
  }
  return { proven: proven / options.rollouts };
}

/** The minute after which it was proven, looked at after each; null: never. */
function firstProof(intervals: readonly IntervalCounts[], onlyEven: boolean): number | null {
  const even = onlyEven
    ? evenIntervals(intervals, SPLITS, 0)
    : intervals.map((interval) => ({ interval, weight: weightAt(interval.from) }));
  const state = ownerState();
  for (const each of even) {
    const mark = { rollout: 'r', epoch: 'e', sequence: 1, countedUntil: each.interval.until };
    for (const counts of countsReport([each], mark).metrics.errors) addOwners(state, counts);
    if (ownerLogE(state) >= logThreshold(SHARES.errors)) return each.interval.until / MINUTE;
  }
  return null;
}

const weightAt = (at: number): number => SPLITS.findLast((each) => each.at <= at)?.weight ?? 0;

function oneMinute(random: Random, options: CountsOptions, from: number): IntervalCounts {
  const { requestsPerMinute, stuckTogether = 1 } = options;
  const arms = { canary: { requests: 0, bad: 0 }, baseline: { requests: 0, bad: 0 } };
  for (let slice = 0; slice < SLICES; slice++) {
    const at = from + (slice * MINUTE) / SLICES;
    const w = weightAt(at) / 100;
    const outage = options.outages && random.uniform() < 0.02 ? random.between(0.2, 0.9) : 0;
    const loop = options.outages && random.uniform() < 0.05 ? random.poisson(40) : 0;
    const clients = random.poisson(requestsPerMinute / SLICES / stuckTogether);
    const ask = (arm: 'canary' | 'baseline', requests: number, rate: number): void => {
      const bad = stuckTogether === 1 ? random.binomial(requests, rate) : groups(random, requests, stuckTogether, rate);
      arms[arm].requests += requests;
      arms[arm].bad += bad;
    };
    const ofCanary = random.binomial(clients, w) * stuckTogether;
    ask('canary', ofCanary, Math.max(outage, options.canary));
    ask('baseline', clients * stuckTogether - ofCanary, Math.max(outage, options.baseline));
    // One client, again and again: each time by chance, or always to where it was sent first.
    const looped = stuckTogether === 1 ? random.binomial(loop, w) : random.uniform() < w ? loop : 0;
    ask('canary', looped, 1);
    ask('baseline', loop - looped, 1);
  }
  return {
    from,
    until: from + MINUTE,
    canary: { ...NO_COUNTS, ...arms.canary },
    baseline: { ...NO_COUNTS, ...arms.baseline },
  };
}

const groups = (random: Random, requests: number, size: number, rate: number): number =>
  random.binomial(Math.round(requests / size), rate) * size;

/** Canary requests until a bad release is taken back, on average, at 10 % throughout; looked at once a minute. */
export function simulateCountsDetection(options: {
  rollouts: number;
  seed: number;
  requestsPerMinute: number;
  baseline: number;
  canary: number;
}): { requests: number; minutes: number; ratio: number } {
  const { rollouts, requestsPerMinute, baseline, canary } = options;
  const random = new Random(options.seed);
  const w = 0.1;
  let [requests, minutes] = [0, 0];
  for (let i = 0; i < rollouts; i++) {
    const state = ownerState();
    while (ownerLogE(state) < logThreshold(SHARES.errors)) {
      const ofCanary = random.poisson(requestsPerMinute * w);
      const ofBaseline = random.poisson(requestsPerMinute * (1 - w));
      const counts = {
        weight: (100 * ofCanary) / (ofCanary + ofBaseline),
        canary: random.binomial(ofCanary, canary),
        baseline: random.binomial(ofBaseline, baseline),
      };
      addOwners(state, counts);
      requests += ofCanary;
      minutes++;
    }
  }
  const mean = requests / rollouts;
  return {
    requests: mean,
    minutes: minutes / rollouts,
    ratio: mean / twoSampleBound({ baseline, canary, weight: w }),
  };
}
