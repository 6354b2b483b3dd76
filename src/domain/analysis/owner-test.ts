import type { Metric, WeightCounts } from './evidence.ts';

/**
 * The owner test: is the canary worse than the baseline that runs beside it?
 *
 * Take any unit (session) that had a bad event. If the release changes nothing, the canary owns that unit with exactly
 * the probability `w` with which the edge sent units to it, whatever traffic, time of day or a common outage do: those
 * decide how many bad units there are, not who owns them. If the canary is `rho` times as bad, it owns the unit with
 * probability theta = rho w / (rho w + 1 - w). The likelihood ratio of the two, multiplied over all bad units, is a
 * supermartingale for a canary that is no worse, so by Ville's inequality it *ever* reaches 1/alpha with probability at
 * most alpha: one may look after every single event. How much worse a canary is, is not known beforehand, hence the
 * mean over several `rho`, which keeps the property.
 *
 * Evidence of different weights is multiplied, never pooled: a common outage while the weight was 50 % would otherwise
 * look like a canary that is far worse than its average share.
 */
export const RHOS = [1.5, 2.5, 5, 10, 25, 60] as const;

/** Chance that an innocent rollout is failed by any of its tests, however often one looks. */
export const ALPHA = 0.01;

/** How the tests of one rollout divide `ALPHA`. They sum to 1. */
export const SHARES: Readonly<Record<Metric | 'window', number>> = {
  errors: 1 / 2,
  slowP75: 1 / 8,
  slowP95: 1 / 8,
  window: 1 / 4,
};

/** Natural logarithm of the evidence at which a test with this share of `ALPHA` has proven its case. */
export function logThreshold(share: number): number {
  return -Math.log(ALPHA * share);
}

/** ln of the mean of exp(values), without overflow. -Infinity for an empty list. */
export function logMeanExp(values: ArrayLike<number>): number {
  let max = -Infinity;
  for (let i = 0; i < values.length; i++) max = Math.max(max, values[i] ?? -Infinity);
  if (!Number.isFinite(max)) return max;
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += Math.exp((values[i] ?? -Infinity) - max);
  return max + Math.log(sum / values.length);
}

/** The log likelihood ratios L_rho, one for each of `RHOS`. Starts at zero: no evidence. */
export type OwnerState = Float64Array;

export function ownerState(): OwnerState {
  return new Float64Array(RHOS.length);
}

/**
 * Adds bad units seen first at `weight` percent, in place. With theta written out, ln(theta/w) is ln(rho) - c and
 * ln((1-theta)/(1-w)) is -c, where c = ln(1 + (rho - 1) w). Weights of 0 and 100 have one possible owner, so they tell
 * nothing; counts that are no counts (negative, NaN, infinite) are left out.
 */
export function addOwners(state: OwnerState, counts: WeightCounts): void {
  const w = counts.weight / 100;
  if (!(w > 0 && w < 1)) return;
  const canary = validCount(counts.canary);
  const all = canary + validCount(counts.baseline);
  if (all === 0) return;
  for (let i = 0; i < RHOS.length; i++) {
    const rho = RHOS[i] ?? 1;
    state[i] = (state[i] ?? 0) + canary * Math.log(rho) - all * Math.log1p((rho - 1) * w);
  }
}

/** ln E of a state: always finite for finite counts. */
export function ownerLogE(state: OwnerState): number {
  return logMeanExp(state);
}

/** ln E of cumulative counts. The order of events does not matter to its value, only to when it was reached. */
export function ownerTest(counts: readonly WeightCounts[]): number {
  const state = ownerState();
  for (const each of counts) addOwners(state, each);
  return ownerLogE(state);
}

/** Counts above this would lose whole units in a double; nobody has seen that many sessions. */
function validCount(count: number): number {
  return count > 0 ? Math.min(count, Number.MAX_SAFE_INTEGER) : 0;
}
