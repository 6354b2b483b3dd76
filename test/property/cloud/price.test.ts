import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { compareBudget, formatPrice } from '../../../src/domain/cloud/price/cost.ts';
import { estimate } from '../../../src/domain/cloud/price/estimate.ts';
import { ASSUMED_USE, priceOf } from '../../../src/domain/cloud/price/price.ts';
import { REGIONS } from '../../../src/domain/cloud/price/price-list.ts';
import * as some from '../../support/cloud/arbitrary-cloud.ts';

const scope = { project: 'shop', environment: 'production' };
const region = fc.constantFrom(...Object.keys(REGIONS), 'moon-west1');
const resources = fc.oneof(some.desiredResources(scope), some.observedResources(scope));
const use = fc.record({
  requests: fc.nat(10 ** 9),
  secondsEach: fc.integer({ min: 1, max: 300 }),
  atOnce: fc.integer({ min: 1, max: 80 }),
  bucketGb: fc.nat(1000),
  imageGb: fc.nat(5),
  logsGib: fc.nat(1000),
});
const up = 1e-6;

test('every price is a range from low to high, with what it rests on', () => {
  fc.assert(
    fc.property(resources, region, use, (all, where, assumed) => {
      for (const each of all) {
        const { low, high, basis } = priceOf(each, where, assumed);
        expect(low).toBeGreaterThanOrEqual(0);
        expect(high ?? Infinity).toBeGreaterThanOrEqual(low);
        expect(basis).not.toBe('');
        expect(`${basis}${formatPrice({ low, high })}`).not.toMatch(/NaN|undefined|Infinity/);
      }
    }),
    { numRuns: 60 },
  );
});

test('the total is the sum of its lines, and lies between everything given away and nothing', () => {
  fc.assert(
    fc.property(resources, region, use, (all, where, assumed) => {
      const { lines, total } = estimate(all, where, assumed);
      const prices = all.map((each) => priceOf(each, where, assumed));
      const sum = (amounts: number[]) => amounts.reduce((a, b) => a + b, 0);
      expect(total.low).toBeCloseTo(sum(lines.map(({ price }) => price.low)), 4);
      expect(total.low).toBeLessThanOrEqual(sum(prices.map(({ low }) => low)) + up);
      if (total.high === null) expect(prices.some(({ high }) => high === null)).toBe(true);
      else {
        expect(total.high).toBeCloseTo(sum(lines.map(({ price }) => price.high ?? NaN)), 4);
        expect(total.high).toBeGreaterThanOrEqual(total.low - up);
      }
    }),
    { numRuns: 60 },
  );
});

test('one resource more never makes the whole cheaper', () => {
  fc.assert(
    fc.property(resources, region, (all, where) => {
      const totals = all.map((_, count) => estimate(all.slice(0, count + 1), where, ASSUMED_USE).total);
      totals.slice(1).forEach((total, index) => {
        const before = totals[index];
        expect(total.low).toBeGreaterThanOrEqual((before?.low ?? 0) - up);
        if (total.high !== null) expect(total.high).toBeGreaterThanOrEqual((before?.high ?? 0) - up);
      });
    }),
    { numRuns: 60 },
  );
});

test('a threshold is reached exactly from its share of the budget on', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10_000 }), fc.integer({ min: 0, max: 20_000 }), (amount, total) => {
      const state = compareBudget(
        { amount, currency: 'USD', thresholds: [0.5, 0.9, 1] },
        { spent: { total, currency: 'USD' }, expected: { low: 0, high: 0 }, elapsed: 0 },
      );
      const reached = [1, 0.9, 0.5].find((each) => total / amount >= each) ?? null;
      expect(state.reached).toBe(reached);
      expect(state.level === 'over').toBe(total >= amount);
    }),
  );
});
