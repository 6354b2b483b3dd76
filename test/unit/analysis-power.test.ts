import { describe, expect, it } from 'vitest';
import { PAIRS, simulateDetection } from '../../bench/analysis/detection.ts';
import { Random } from '../../bench/analysis/random.ts';
import { binomialTail, poissonMasses } from '../../src/domain/analysis/binomial.ts';
import { logThreshold, ownerTest, SHARES } from '../../src/domain/analysis/owner-test.ts';
import {
  ownerDetectable,
  ownerPower,
  ownerUnits,
  ownerUnitsToProof,
  windowDetectable,
  windowUnitsToProof,
} from '../../src/domain/analysis/power.ts';
import { twoSampleBound } from '../../src/domain/analysis/two-sample-bound.ts';
import { windowTest } from '../../src/domain/analysis/window-test.ts';

const SEED = 7;
const plans = [
  { share: SHARES.errors, weight: 0.1, baselineRate: 0.001, limit: 0.01 },
  { share: SHARES.errors, weight: 0.1, baselineRate: 0, limit: 0.01 },
  { share: SHARES.errors, weight: 0.5, baselineRate: 0.01, limit: 0.01 },
  { share: SHARES.errors, weight: 0.25, baselineRate: 0.05, limit: 0.01 },
];

describe('what the owner test could have caught', () => {
  it.each(plans)('is caught 88 to 97 % of the time when simulated ($weight, $baselineRate)', (plan) => {
    const random = new Random(SEED);
    for (const units of [60, 400, 5000]) {
      const rate = ownerDetectable(plan, units);
      if (rate === undefined) throw new Error('something must be detectable');
      let caught = 0;
      const rollouts = 2000;
      for (let i = 0; i < rollouts; i++) {
        const canary = random.binomial(units, rate);
        const baseline = random.binomial(Math.round((units * (1 - plan.weight)) / plan.weight), plan.baselineRate);
        const proven = ownerTest([{ weight: plan.weight * 100, canary, baseline }]) >= logThreshold(plan.share);
        if (proven && canary >= plan.limit * units) caught++;
      }
      expect(caught / rollouts).toBeGreaterThan(0.88);
      expect(caught / rollouts).toBeLessThan(0.97);
    }
  });

  it('gets finer with more traffic', () => {
    const rates = [20, 50, 200, 1000, 10_000].map((units) => ownerDetectable(plans[0]!, units) ?? 1);
    expect(rates).toEqual(rates.toSorted((a, b) => b - a));
    expect(ownerDetectable(plans[0]!, 1)).toBeUndefined();
  });

  it('agrees with the traffic said to be needed', () => {
    for (const rate of [0.3, 0.1, 0.03]) {
      const units = ownerUnits(plans[0]!, rate) ?? Number.NaN;
      expect(ownerPower(plans[0]!, units, rate)).toBeGreaterThanOrEqual(0.9);
      expect(ownerPower(plans[0]!, Math.floor(units * 0.8), rate)).toBeLessThan(0.9);
    }
  });

  it('says that no traffic would do for a canary like its baseline, or within its limit', () => {
    expect(ownerUnits({ ...plans[0]!, baselineRate: 0.05 }, 0.05)).toBeUndefined();
    expect(ownerUnits(plans[0]!, 0.005)).toBeUndefined();
    expect(ownerUnitsToProof(plans[3]!, 0.04, 0)).toBeUndefined();
  });

  it('estimates how many more requests prove what was seen so far', () => {
    // 5 % beside 0.1 %: about 71 canary requests on average, none of which has been seen yet.
    expect(ownerUnitsToProof(plans[0]!, 0.05, 0)).toBeGreaterThan(45);
    expect(ownerUnitsToProof(plans[0]!, 0.05, 0)).toBeLessThan(90);
    expect(ownerUnitsToProof(plans[0]!, 0.05, logThreshold(SHARES.errors))).toBe(0);
    expect(windowUnitsToProof({ share: 1 / 8, limit: 0.01 }, 0.05, 0)).toBeGreaterThan(50);
    expect(windowUnitsToProof({ share: 1 / 8, limit: 0.01 }, 0.009, 0)).toBeUndefined();
  });
});

describe('what the window test could have caught', () => {
  it.each([100, 1000, 20_000])('is caught 88 to 97 % of the time when simulated, %i units', (units) => {
    const random = new Random(SEED);
    const plan = { share: SHARES.window / 2, limit: 0.01 };
    const rate = windowDetectable(plan, units) ?? Number.NaN;
    let caught = 0;
    for (let i = 0; i < 2000; i++) {
      const bad = random.binomial(units, rate);
      const logE = windowTest({ requests: units, sessions: units, bad, badSessions: bad }, plan.limit);
      if (logE >= logThreshold(plan.share) && bad >= plan.limit * units) caught++;
    }
    expect(caught / 2000).toBeGreaterThan(0.88);
    expect(caught / 2000).toBeLessThan(0.97);
  });
});

describe('time to detection', () => {
  it('is at most 1.6 times what any honest test needs', () => {
    const detections = simulateDetection({ rollouts: 1500, seed: SEED });
    for (const each of detections) expect(each.ratio).toBeLessThan(1.6);
    // And not below 1, which would mean that the bound or the simulation is wrong.
    for (const each of detections) expect(each.ratio).toBeGreaterThan(1);
  });

  it('is bounded by the information of a request', () => {
    const bounds = PAIRS.map((pair) => Math.round(twoSampleBound({ ...pair, weight: 0.1 })));
    expect(bounds).toEqual([50, 158, 409]);
  });
});

describe('tail probabilities', () => {
  it('are exact for few trials and close for many', () => {
    expect(binomialTail(3, 0.5, 2)).toBeCloseTo(0.5, 12);
    expect(binomialTail(10, 0, 1)).toBe(0);
    expect(binomialTail(10, 1, 10)).toBe(1);
    expect(binomialTail(10, 0.3, 0)).toBe(1);
    expect(binomialTail(10, 0.3, 11)).toBe(0);
    // Either side of the change from the sum to the approximation.
    expect(Math.abs(binomialTail(10_000, 0.03, 300) - binomialTail(10_000, 0.03, 301))).toBeLessThan(0.03);
    expect(binomialTail(1e9, 0.5, 10)).toBeCloseTo(1, 6);
  });

  it('keep the mean of what they stand for', () => {
    for (const mean of [0.01, 0.5, 5, 19, 21, 5000]) {
      const sum = poissonMasses(mean).reduce((all, each) => all + each.value * each.probability, 0);
      expect(Math.abs(sum - mean) / mean).toBeLessThan(0.03);
    }
  });
});
