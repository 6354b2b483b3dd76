import type { Random } from './random.ts';

/**
 * Traffic of a rollout whose release changes nothing, second by second, in which everything happens that makes an
 * honest comparison hard:
 *
 * - Sessions send many requests (8 on average, over minutes), and stay with their release, also over a weight step:
 *   a raised weight moves only the difference.
 * - Errors come in clusters: some sessions are troubled, and three in ten of their requests fail.
 * - Common outages hit both releases at once, for 10 to 90 seconds, with 5 to 100 % errors; and common slow spells.
 * - Traffic wanders (up to several times its mean) while the weight steps 10, 25, 50 %.
 *
 * Sessions of a kind and a release are alike, so they are counted, not kept one by one. `seconds` yields for each
 * second what an edge would have counted.
 */
export const STEPS = [
  { weight: 10, seconds: 600 },
  { weight: 25, seconds: 300 },
  { weight: 50, seconds: 300 },
] as const;

const REQUESTS_PER_SESSION = 8;
/** Requests that an active session sends in a second; it leaves with 1/8 of that. */
const PACE = 0.05;
const LEAVES = PACE / REQUESTS_PER_SESSION;
const TROUBLED_FAILS = 0.3;

const METRICS = ['errors', 'slowP75', 'slowP95'] as const;
type SimulatedMetric = (typeof METRICS)[number];

interface Counts {
  canary: number;
  baseline: number;
}

/** One second. The object is used again for the next. */
export interface Second {
  weight: number;
  requests: Counts;
  bad: Counts;
  /** Units whose first bad event it was. */
  first: Record<SimulatedMetric, Counts>;
}

/** Sessions of one kind: those without a bad event so far, and (where it matters) those with one. */
interface Pool {
  fresh: Counts;
  marked: Counts;
  troubled: boolean;
}

const nobody = (): Counts => ({ canary: 0, baseline: 0 });

export interface Innocent {
  /** Canary requests that the rollout sees on average. */
  readonly canaryRequests: number;
  readonly outages: boolean;
}

export function* seconds(random: Random, options: Innocent): Generator<Second> {
  const exposure = STEPS.reduce((sum, step) => sum + (step.weight / 100) * step.seconds, 0);
  const duration = STEPS.reduce((sum, step) => sum + step.seconds, 0);
  const meanArrivals = options.canaryRequests / exposure / REQUESTS_PER_SESSION;
  const base = 0.0002 * 25 ** random.uniform(); // 0.02 % to 0.5 %
  const troubledShare = random.between(0, 0.01);
  const outages = options.outages ? spells(random, duration, 1) : [];
  const slowSpells = spells(random, duration, 1);

  // Starts as if it had been running for long.
  const errors: Pool[] = [pool(false), pool(true)];
  const slow = { slowP75: pool(false), slowP95: pool(false) };
  const settled = meanArrivals / LEAVES;
  let weight = 0;
  arrive(random, errors, slow, random.poisson(settled), 0, troubledShare);
  const active = nobody();
  active.baseline = total(errors, 'baseline');

  const second: Second = {
    weight: 0,
    requests: nobody(),
    bad: nobody(),
    first: { errors: nobody(), slowP75: nobody(), slowP95: nobody() },
  };
  let level = 0;
  let now = 0;
  for (const step of STEPS) {
    raise(random, [...errors, slow.slowP75, slow.slowP95], weight / 100, step.weight / 100);
    weight = step.weight;
    for (let i = 0; i < step.seconds; i++, now++) {
      level = 0.99 * level + 0.06 * random.normal();
      arrive(random, errors, slow, random.poisson(meanArrivals * Math.exp(level)), weight / 100, troubledShare);
      const outage = strength(outages, now);
      const slowly = strength(slowSpells, now);
      second.weight = weight;
      for (const arm of ['canary', 'baseline'] as const) {
        let bad = 0;
        let first = 0;
        let sessions = 0;
        for (const each of errors) {
          sessions += each.fresh[arm] + each.marked[arm];
          const fails = Math.max(outage, each.troubled ? TROUBLED_FAILS : base);
          const again = random.poisson(each.marked[arm] * PACE * fails);
          const turned = mark(random, each, arm, fails);
          first += turned;
          bad += turned + again;
          leave(random, each, arm);
        }
        second.requests[arm] = Math.max(bad, random.poisson(sessions * PACE));
        second.bad[arm] = bad;
        second.first.errors[arm] = first;
        second.first.slowP75[arm] = mark(random, slow.slowP75, arm, 0.25 + 0.5 * slowly);
        second.first.slowP95[arm] = mark(random, slow.slowP95, arm, 0.05 + 0.4 * slowly);
        leave(random, slow.slowP75, arm);
        leave(random, slow.slowP95, arm);
      }
      yield second;
    }
  }
}

function pool(troubled: boolean): Pool {
  return { fresh: nobody(), marked: nobody(), troubled };
}

function total(pools: readonly Pool[], arm: keyof Counts): number {
  return pools.reduce((sum, each) => sum + each.fresh[arm] + each.marked[arm], 0);
}

/** New sessions, each to the canary with probability `w`, the same for all metrics. */
function arrive(
  random: Random,
  errors: readonly Pool[],
  slow: Record<'slowP75' | 'slowP95', Pool>,
  arrivals: number,
  w: number,
  troubledShare: number,
): void {
  const troubled = random.binomial(arrivals, troubledShare);
  const canaryTroubled = random.binomial(troubled, w);
  const canaryPlain = random.binomial(arrivals - troubled, w);
  const canary = canaryPlain + canaryTroubled;
  const put = (into: Pool | undefined, toCanary: number, all: number) => {
    if (into === undefined) return;
    into.fresh.canary += toCanary;
    into.fresh.baseline += all - toCanary;
  };
  put(errors[0], canaryPlain, arrivals - troubled);
  put(errors[1], canaryTroubled, troubled);
  put(slow.slowP75, canary, arrivals);
  put(slow.slowP95, canary, arrivals);
}

/** The weight grows: each baseline session is among those that move with the same probability. */
function raise(random: Random, pools: readonly Pool[], from: number, to: number): void {
  const moves = (to - from) / (1 - from);
  for (const each of pools) {
    for (const counts of [each.fresh, each.marked]) {
      const moved = random.binomial(counts.baseline, moves);
      counts.baseline -= moved;
      counts.canary += moved;
    }
  }
}

/** Fresh sessions that have their first bad event in this second, when each request is bad with probability `bad`. */
function mark(random: Random, pool: Pool, arm: keyof Counts, bad: number): number {
  const turned = random.binomial(pool.fresh[arm], 1 - Math.exp(-PACE * bad));
  pool.fresh[arm] -= turned;
  pool.marked[arm] += turned;
  return turned;
}

function leave(random: Random, pool: Pool, arm: keyof Counts): void {
  pool.fresh[arm] -= random.binomial(pool.fresh[arm], LEAVES);
  pool.marked[arm] -= random.binomial(pool.marked[arm], LEAVES);
}

interface Spell {
  from: number;
  to: number;
  strength: number;
}

function spells(random: Random, duration: number, mean: number): Spell[] {
  return Array.from({ length: random.poisson(mean) }, () => {
    const from = random.between(0, duration);
    return { from, to: from + random.between(10, 90), strength: random.between(0.05, 1) };
  });
}

function strength(list: readonly Spell[], now: number): number {
  let strongest = 0;
  for (const each of list) if (now >= each.from && now < each.to) strongest = Math.max(strongest, each.strength);
  return strongest;
}
