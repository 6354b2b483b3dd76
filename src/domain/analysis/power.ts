import { binomialTail, type Mass, poissonMasses } from './binomial.ts';
import { logThreshold, ownerTest, RHOS } from './owner-test.ts';
import { windowTest } from './window-test.ts';

/**
 * What the tests could have seen: the smallest rate that they would have caught, and how much traffic they need.
 *
 * Rates are bad units of all units. When a session's errors come together, the rate of bad units equals the rate of bad
 * requests; when they are spread, more units turn bad than requests, and the test is stronger than said here. So a
 * detectable rate is true of requests too.
 *
 * Computed at the end of the data, though the test looks all the time and may have crossed before: the power said is
 * a little less than the real one (simulated: 90 to 94 % where 90 % is said).
 */
export const POWER = 0.9;

export interface OwnerPlan {
  /** Share of ALPHA that the test has. */
  readonly share: number;
  /** Share of units that the canary had, in (0, 1). */
  readonly weight: number;
  /** Rate of bad units of the baseline, 0..1. */
  readonly baselineRate: number;
  /** A rate must also break this limit to fail; 0 for none. */
  readonly limit: number;
}

export interface WindowPlan {
  readonly share: number;
  readonly limit: number;
}

/** Probability that a canary whose units are bad at `rate` is failed within `units` canary units. */
export function ownerPower(plan: OwnerPlan, units: number, rate: number): number {
  return powerOf(ownerNeeds(plan, units), units, rate);
}

/** Smallest rate of bad units that the owner test catches with 90 % probability within `units` canary units; `undefined` if none. */
export function ownerDetectable(plan: OwnerPlan, units: number): number | undefined {
  return detectable(ownerNeeds(plan, units), units);
}

/** Canary units after which a rate is caught with 90 % probability; `undefined` when no traffic would do (the baseline is as bad, or below the limit). */
export function ownerUnits(plan: OwnerPlan, rate: number): number | undefined {
  return unitsUntil((units) => ownerPower(plan, units, rate) >= POWER);
}

export function windowPower(plan: WindowPlan, units: number, rate: number): number {
  return powerOf(windowNeeds(plan, units), units, rate);
}

export function windowDetectable(plan: WindowPlan, units: number): number | undefined {
  return detectable(windowNeeds(plan, units), units);
}

export function windowUnits(plan: WindowPlan, rate: number): number | undefined {
  return unitsUntil((units) => windowPower(plan, units, rate) >= POWER);
}

/**
 * Canary units still needed to prove what was observed so far, at the observed rates of bad units: what is missing of
 * ln E, divided by its expected growth for each canary unit under the rho that grows fastest. `undefined` when the
 * observed rates do not let it grow.
 */
export function ownerUnitsToProof(plan: OwnerPlan, canaryRate: number, logE: number): number | undefined {
  const w = plan.weight;
  if (!(w > 0 && w < 1)) return undefined;
  const all = canaryRate + (plan.baselineRate * (1 - w)) / w;
  const growth = Math.max(...RHOS.map((rho) => canaryRate * Math.log(rho) - all * Math.log1p((rho - 1) * w)));
  return missing(plan.share, logE, growth);
}

/** The same for the window test. */
export function windowUnitsToProof(plan: WindowPlan, rate: number, logE: number): number | undefined {
  const growth = Math.max(...RHOS.map((rho) => rate * Math.log(rho) - (rho - 1) * plan.limit));
  return missing(plan.share, logE, growth);
}

function missing(share: number, logE: number, growth: number): number | undefined {
  if (!(growth > 0)) return undefined;
  return Math.ceil(Math.max(0, logThreshold(share) - logE) / growth);
}

/** How many bad canary units fail it, for each number of bad baseline units that is likely. */
function ownerNeeds(plan: OwnerPlan, units: number): readonly Mass[] {
  const w = plan.weight;
  if (!(w > 0 && w < 1) || !(units >= 1)) return [];
  const threshold = logThreshold(plan.share);
  const floor = Math.ceil(plan.limit * units - 1e-9);
  return poissonMasses((plan.baselineRate * units * (1 - w)) / w).map(({ value: baseline, probability }) => {
    const proven = (canary: number) => ownerTest([{ weight: w * 100, canary, baseline }]) >= threshold;
    return { value: Math.max(floor, smallest(proven, units)), probability };
  });
}

function windowNeeds(plan: WindowPlan, units: number): readonly Mass[] {
  if (!(plan.limit > 0 && plan.limit < 1) || !(units >= 1)) return [];
  const threshold = logThreshold(plan.share);
  const proven = (bad: number) =>
    windowTest({ requests: units, sessions: units, bad, badSessions: bad }, plan.limit) >= threshold;
  return [{ value: Math.max(Math.ceil(plan.limit * units - 1e-9), smallest(proven, units)), probability: 1 }];
}

function powerOf(needs: readonly Mass[], units: number, rate: number): number {
  return needs.reduce((sum, need) => sum + need.probability * binomialTail(units, rate, need.value), 0);
}

function detectable(needs: readonly Mass[], units: number): number | undefined {
  if (needs.length === 0 || powerOf(needs, units, 1) < POWER) return undefined;
  let low = 0;
  let high = 1;
  // Three digits are more than anybody reads.
  while (high - low > high * 1e-3) {
    const middle = (low + high) / 2;
    if (powerOf(needs, units, middle) >= POWER) high = middle;
    else low = middle;
  }
  return high;
}

/** Beyond this, "how long" has no practical answer. */
const MAX_UNITS = 1e8;

function unitsUntil(enough: (units: number) => boolean): number | undefined {
  let high = 1;
  while (!enough(high)) {
    high *= 2;
    if (high > MAX_UNITS) return undefined;
  }
  let low = high / 2;
  while (high - low > Math.max(1, high / 200)) {
    const middle = Math.floor((low + high) / 2);
    if (enough(middle)) high = middle;
    else low = middle;
  }
  return high;
}

/** Smallest whole number up to `max` (or one more) that satisfies a condition which stays true once true. */
function smallest(holds: (value: number) => boolean, max: number): number {
  let high = 1;
  while (high <= max && !holds(high)) high *= 2;
  let low = high / 2;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (holds(middle)) high = middle;
    else low = middle;
  }
  return high;
}
