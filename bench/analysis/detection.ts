import { addOwners, logThreshold, ownerLogE, ownerState, SHARES } from '../../src/domain/analysis/owner-test.ts';
import { twoSampleBound } from '../../src/domain/analysis/two-sample-bound.ts';
import { windowTest } from '../../src/domain/analysis/window-test.ts';
import { ARGO, FLAGGER, type IntervalRule } from './interval-rule.ts';
import { Random } from './random.ts';

const LIMIT = 0.01;

export interface DetectionOptions {
  readonly rollouts: number;
  readonly seed: number;
  /** Percent of requests that the canary gets. */
  readonly weight?: number;
  /** Requests per second of both releases together; only the interval rules depend on it. */
  readonly requestsPerSecond?: number;
  /** Error rates of baseline and canary, 0..1. */
  readonly pairs?: readonly { readonly baseline: number; readonly canary: number }[];
}

export const PAIRS = [
  { baseline: 0.001, canary: 0.05 },
  { baseline: 0.001, canary: 0.02 },
  { baseline: 0.01, canary: 0.03 },
] as const;

/** Canary requests until a bad canary is taken back, on average. */
export interface Detection {
  readonly baseline: number;
  readonly canary: number;
  readonly requests: number;
  /** Nine of ten are taken back by then. */
  readonly requests90: number;
  /** What no honest test can beat. */
  readonly bound: number;
  /** requests / bound. */
  readonly ratio: number;
  readonly flagger: number;
  readonly argo: number;
}

/** Every request is a session of its own, and the evidence is looked at after every event. */
export function simulateDetection(options: DetectionOptions): Detection[] {
  const { weight = 10, requestsPerSecond = 70, pairs = PAIRS } = options;
  const w = weight / 100;
  return pairs.map(({ baseline, canary }, index) => {
    const random = new Random(options.seed + index);
    const ours: number[] = [];
    let flagger = 0;
    let argo = 0;
    for (let i = 0; i < options.rollouts; i++) {
      ours.push(untilProven(random, { w, baseline, canary }));
      flagger += untilBadInterval(random, FLAGGER, requestsPerSecond * w, canary);
      argo += untilBadInterval(random, ARGO, requestsPerSecond * w, canary);
    }
    ours.sort((a, b) => a - b);
    const requests = ours.reduce((sum, each) => sum + each, 0) / ours.length;
    const bound = twoSampleBound({ baseline, canary, weight: w });
    return {
      baseline,
      canary,
      requests,
      requests90: ours[Math.floor(ours.length * 0.9)] ?? Number.NaN,
      bound,
      ratio: requests / bound,
      flagger: flagger / options.rollouts,
      argo: argo / options.rollouts,
    };
  });
}

/** Only bad requests change the evidence, so the simulation goes from one to the next. */
function untilProven(random: Random, pair: { w: number; baseline: number; canary: number }): number {
  const { w, baseline, canary } = pair;
  const rate = w * canary + (1 - w) * baseline;
  const goodIsCanary = (w * (1 - canary)) / (1 - rate);
  const threshold = logThreshold(SHARES.errors);
  const state = ownerState();
  let requests = 0;
  let bad = 0;
  for (;;) {
    requests += random.binomial(random.geometric(rate) - 1, goodIsCanary);
    const owned = random.uniform() < (w * canary) / rate;
    addOwners(state, { weight: w * 100, canary: owned ? 1 : 0, baseline: owned ? 0 : 1 });
    if (!owned) continue;
    requests++;
    bad++;
    if (bad >= LIMIT * requests && ownerLogE(state) >= threshold) return requests;
  }
}

function untilBadInterval(random: Random, rule: IntervalRule, perSecond: number, rate: number): number {
  let requests = 0;
  for (;;) {
    const interval = random.poisson(perSecond * rule.seconds);
    requests += interval;
    if (interval === 0 ? rule.emptyIsBad : random.binomial(interval, rate) / interval > rule.threshold) return requests;
  }
}

export interface WindowDetectionOptions {
  readonly rollouts: number;
  readonly seed: number;
  /** Error rate of requests, 0..1, above the limit of 1 %. */
  readonly rate: number;
  readonly requestsPerSession: number;
  /** All requests of few sessions are bad, instead of few requests of any session. */
  readonly clustered: boolean;
}

/** Requests, on average, until a release that has all traffic is proven to be over its limit. */
export function simulateWindowDetection(options: WindowDetectionOptions): number {
  const { rate, clustered } = options;
  const random = new Random(options.seed);
  const threshold = logThreshold(SHARES.window / 2);
  let all = 0;
  for (let i = 0; i < options.rollouts; i++) {
    const seen = { requests: 0, sessions: 0, bad: 0, badSessions: 0 };
    for (;;) {
      const length = random.geometric(1 / options.requestsPerSession);
      seen.requests += length;
      seen.sessions++;
      const bad = clustered ? length * random.binomial(1, rate) : random.binomial(length, rate);
      if (bad === 0) continue;
      seen.bad += bad;
      seen.badSessions++;
      if (seen.bad >= LIMIT * seen.requests && windowTest(seen, LIMIT) >= threshold) break;
    }
    all += seen.requests;
  }
  return all / options.rollouts;
}
