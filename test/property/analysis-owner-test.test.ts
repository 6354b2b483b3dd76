import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../../bench/analysis/random.ts';
import {
  ALPHA,
  addOwners,
  logThreshold,
  ownerLogE,
  ownerState,
  ownerTest,
  RHOS,
} from '../../src/domain/analysis/owner-test.ts';

const weight = fc.oneof(fc.double({ min: 0, max: 100, noNaN: true }), fc.constantFrom(0, 1, 10, 50, 99, 100));
const counts = fc.record({ weight, canary: fc.nat(10_000), baseline: fc.nat(10_000) });

describe('owner test', () => {
  it('is a martingale for a release that changes nothing: one more bad unit leaves E as it was on average', () => {
    fc.assert(
      fc.property(
        fc.array(counts, { maxLength: 5 }),
        fc.double({ min: 0.1, max: 99.9, noNaN: true }),
        (seen, percent) => {
          const before = ownerState();
          for (const each of seen) addOwners(before, each);
          const after = (canary: number) => {
            const state = before.slice();
            addOwners(state, { weight: percent, canary, baseline: 1 - canary });
            return state;
          };
          const w = percent / 100;
          const [owned, other] = [after(1), after(0)];
          for (let i = 0; i < RHOS.length; i++) {
            const gain = (owned[i] ?? 0) - (before[i] ?? 0);
            const loss = (other[i] ?? 0) - (before[i] ?? 0);
            expect(w * Math.exp(gain) + (1 - w) * Math.exp(loss)).toBeCloseTo(1, 6);
          }
        },
      ),
    );
  });

  it('grows with every bad canary unit and shrinks with every bad baseline unit', () => {
    fc.assert(
      fc.property(
        fc.array(counts, { maxLength: 5 }),
        fc.double({ min: 0.1, max: 99.9, noNaN: true }),
        (seen, percent) => {
          const now = ownerTest(seen);
          expect(ownerTest([...seen, { weight: percent, canary: 1, baseline: 0 }])).toBeGreaterThan(now);
          expect(ownerTest([...seen, { weight: percent, canary: 0, baseline: 1 }])).toBeLessThan(now);
        },
      ),
    );
  });

  it('is the same in whatever portions and order the counts arrive', () => {
    fc.assert(
      fc.property(fc.array(counts, { minLength: 1, maxLength: 6 }), fc.nat(), (seen, cut) => {
        const state = ownerState();
        for (const each of seen.toReversed()) {
          const part = cut % (each.canary + 1);
          addOwners(state, { ...each, canary: part, baseline: 0 });
          addOwners(state, { ...each, canary: each.canary - part });
        }
        const whole = ownerTest(seen);
        expect(Math.abs(ownerLogE(state) - whole)).toBeLessThanOrEqual(1e-9 * Math.max(1, Math.abs(whole)) + 1e-6);
      }),
    );
  });

  it('stays a number for counts that no edge should send', () => {
    const odd = fc.oneof(
      fc.double(),
      fc.constantFrom(1e308, -1, Number.NaN, Number.POSITIVE_INFINITY, Number.MAX_SAFE_INTEGER),
    );
    fc.assert(
      fc.property(fc.array(fc.record({ weight: odd, canary: odd, baseline: odd })), (seen) => {
        expect(Number.isFinite(ownerTest(seen))).toBe(true);
      }),
    );
  });

  it('rarely convicts the innocent, however the weight and the share of bad units move (Ville)', () => {
    // Each property is one way of stepping the weights, chosen with knowledge of the evidence so far: the test must not care.
    const rollouts = 400;
    fc.assert(
      fc.property(
        fc.integer(),
        fc.array(fc.double({ min: 1, max: 90, noNaN: true }), { minLength: 1, maxLength: 5 }),
        (seed, weights) => {
          const random = new Random(seed);
          let convicted = 0;
          for (let i = 0; i < rollouts; i++) {
            const state = ownerState();
            for (let unit = 0; unit < 150; unit++) {
              const likely = ownerLogE(state) > 1;
              const percent = weights[likely ? 0 : unit % weights.length] ?? 10;
              const canary = random.uniform() < percent / 100 ? 1 : 0;
              addOwners(state, { weight: percent, canary, baseline: 1 - canary });
              if (ownerLogE(state) < logThreshold(1)) continue;
              convicted++;
              break;
            }
          }
          // Expected below 1 % of 400 = 4; 16 is beyond any chance.
          expect(convicted).toBeLessThanOrEqual(rollouts * ALPHA + 12);
        },
      ),
      { numRuns: 20 },
    );
  });
});
