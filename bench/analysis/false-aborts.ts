import { logThreshold, ownerTest, RHOS, SHARES } from '../../src/domain/analysis/owner-test.ts';
import { windowTest } from '../../src/domain/analysis/window-test.ts';
import { type Innocent, seconds } from './innocent-traffic.ts';
import { ARGO, FLAGGER, IntervalJudge } from './interval-rule.ts';
import { Random } from './random.ts';

const LIMIT = 0.01;
const METRICS = ['errors', 'slowP75', 'slowP95'] as const;

export interface FalseAbortOptions extends Innocent {
  readonly rollouts: number;
  readonly seed: number;
}

/** Shares (0..1) of innocent rollouts that would have been taken back. */
export interface FalseAborts {
  readonly rollouts: number;
  /** Measured mean, as a check on the simulation. */
  readonly canaryRequests: number;
  /** As evenkeel decides: proven, and over the limit (latency taken to be over its limit all the time: the worst case). */
  readonly evenkeel: number;
  /** Proven worse at any time, were there no limits at all: what the theory bounds by 0.75 %. */
  readonly proven: number;
  readonly flagger: number;
  readonly argo: number;
}

/** Follows the evidence of one metric from event to event, and remembers whether it ever was enough. */
class Watcher {
  readonly #state = new Float64Array(RHOS.length);
  readonly #threshold: number;
  readonly #steps = new Map<number, { canary: Float64Array; baseline: Float64Array }>();

  constructor(share: number) {
    this.#threshold = logThreshold(share);
  }

  /** One bad unit; true when the evidence is enough now. It can only have become so by one of the canary's. */
  add(weight: number, arm: 'canary' | 'baseline'): boolean {
    const step = this.#step(weight)[arm];
    let highest = -Infinity;
    for (let i = 0; i < RHOS.length; i++) {
      const value = (this.#state[i] ?? 0) + (step[i] ?? 0);
      this.#state[i] = value;
      if (value > highest) highest = value;
    }
    // The mean reaches the threshold only if the largest does.
    if (arm === 'baseline' || highest < this.#threshold) return false;
    let sum = 0;
    for (let i = 0; i < RHOS.length; i++) sum += Math.exp((this.#state[i] ?? 0) - highest);
    return highest + Math.log(sum / RHOS.length) >= this.#threshold;
  }

  /** What one unit adds, computed once for each weight by the product's own function of a single count. */
  #step(weight: number) {
    let step = this.#steps.get(weight);
    if (step === undefined) {
      const one = (canary: number) =>
        Float64Array.from(RHOS, (rho) => canary * Math.log(rho) - Math.log1p((rho - 1) * (weight / 100)));
      step = { canary: one(1), baseline: one(0) };
      this.#steps.set(weight, step);
    }
    return step;
  }
}

export function simulateFalseAborts(options: FalseAbortOptions): FalseAborts {
  const random = new Random(options.seed);
  const aborted = { evenkeel: 0, proven: 0, flagger: 0, argo: 0 };
  let canaryRequests = 0;
  for (let i = 0; i < options.rollouts; i++) {
    const rollout = oneRollout(random, options);
    canaryRequests += rollout.requests;
    if (rollout.evenkeel) aborted.evenkeel++;
    if (rollout.proven) aborted.proven++;
    if (rollout.flagger) aborted.flagger++;
    if (rollout.argo) aborted.argo++;
  }
  const share = (count: number) => count / options.rollouts;
  return {
    rollouts: options.rollouts,
    canaryRequests: Math.round(canaryRequests / options.rollouts),
    evenkeel: share(aborted.evenkeel),
    proven: share(aborted.proven),
    flagger: share(aborted.flagger),
    argo: share(aborted.argo),
  };
}

function oneRollout(random: Random, options: Innocent) {
  const watchers = METRICS.map((metric) => ({ metric, watcher: new Watcher(SHARES[metric]) }));
  const flagger = new IntervalJudge(FLAGGER);
  const argo = new IntervalJudge(ARGO);
  let requests = 0;
  let bad = 0;
  let proven = false;
  let evenkeel = false;
  for (const second of seconds(random, options)) {
    requests += second.requests.canary;
    bad += second.bad.canary;
    flagger.add(second.requests.canary, second.bad.canary);
    argo.add(second.requests.canary, second.bad.canary);
    for (const { metric, watcher } of watchers) {
      let { canary, baseline } = second.first[metric];
      // Events of one second come in any order; every one of them is looked at.
      while (canary + baseline > 0) {
        const arm = random.uniform() * (canary + baseline) < canary ? 'canary' : 'baseline';
        if (arm === 'canary') canary--;
        else baseline--;
        if (!watcher.add(second.weight, arm)) continue;
        proven = true;
        if (metric !== 'errors' || bad >= LIMIT * requests) evenkeel = true;
      }
    }
  }
  return { requests, proven, evenkeel, flagger: flagger.aborted, argo: argo.aborted };
}

export interface WindowOptions {
  readonly rollouts: number;
  /** Sessions in the window, 8 requests each on average. */
  readonly sessions: number;
  /** Which errors make up the rate: any request, or all requests of few sessions. */
  readonly clustered: boolean;
  readonly seed: number;
}

/** Share of innocent releases failed by the window test for errors, when their rate lies exactly at the limit: the worst innocent there is. */
export function simulateWindow(options: WindowOptions): number {
  const random = new Random(options.seed);
  const threshold = logThreshold(SHARES.window / 2);
  let aborts = 0;
  for (let i = 0; i < options.rollouts; i++) {
    let requests = 0;
    let bad = 0;
    let badSessions = 0;
    for (let sessions = 1; sessions <= options.sessions; sessions++) {
      const length = random.geometric(1 / 8);
      requests += length;
      const failing = options.clustered ? (random.uniform() < LIMIT ? length : 0) : random.binomial(length, LIMIT);
      if (failing === 0) continue;
      bad += failing;
      badSessions++;
      if (windowTest({ requests, sessions, bad, badSessions }, LIMIT) >= threshold && bad >= LIMIT * requests) {
        aborts++;
        break;
      }
    }
  }
  return aborts / options.rollouts;
}

/** The bench's own incremental evidence must be the product's. */
export function checkWatcher(seed: number): number {
  const random = new Random(seed);
  const state = { canary: 0, baseline: 0 };
  const watcher = new Watcher(1 / 2);
  let disagreements = 0;
  for (let i = 0; i < 2000; i++) {
    const arm = random.uniform() < 0.14 ? 'canary' : 'baseline';
    state[arm]++;
    const said = watcher.add(10, arm);
    const right = arm === 'canary' && ownerTest([{ weight: 10, ...state }]) >= logThreshold(1 / 2);
    if (said !== right) disagreements++;
  }
  return disagreements;
}
