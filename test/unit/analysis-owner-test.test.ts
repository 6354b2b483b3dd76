import { describe, expect, it } from 'vitest';
import { checkWatcher } from '../../bench/analysis/false-aborts.ts';
import { logMeanExp, logThreshold, ownerTest, RHOS, SHARES } from '../../src/domain/analysis/owner-test.ts';

describe('owner test', () => {
  it('is the mean likelihood ratio of who owns the bad units', () => {
    const w = 0.1;
    const [canary, baseline] = [3, 2];
    const ratios = RHOS.map((rho) => {
      const theta = (rho * w) / (rho * w + 1 - w);
      return (theta / w) ** canary * ((1 - theta) / (1 - w)) ** baseline;
    });
    const mean = ratios.reduce((sum, each) => sum + each, 0) / ratios.length;
    expect(Math.exp(ownerTest([{ weight: 10, canary, baseline }]))).toBeCloseTo(mean, 9);
  });

  it('needs three bad canary sessions, and none of the baseline, at 10 %', () => {
    const proof = logThreshold(SHARES.errors);
    expect(ownerTest([{ weight: 10, canary: 2, baseline: 0 }])).toBeLessThan(proof);
    expect(ownerTest([{ weight: 10, canary: 3, baseline: 0 }])).toBeGreaterThan(proof);
  });

  it('says nothing when there is only one possible owner', () => {
    const alone = [0, 100].map((weight) => ({ weight, canary: 500, baseline: 3 }));
    expect(ownerTest(alone)).toBe(0);
    expect(ownerTest([...alone, { weight: 10, canary: 2, baseline: 1 }])).toBe(
      ownerTest([{ weight: 10, canary: 2, baseline: 1 }]),
    );
  });

  it('is not fooled by an outage in a later step, as pooled counts would be', () => {
    // 1,000 sessions fail while half of them are the canary's; before, 10 of 100 were.
    const steps = [
      { weight: 10, canary: 10, baseline: 90 },
      { weight: 50, canary: 500, baseline: 500 },
    ];
    expect(ownerTest(steps)).toBeLessThan(0);
    const pooled = { weight: 30, canary: 510, baseline: 590 };
    expect(ownerTest([pooled])).toBeGreaterThan(logThreshold(SHARES.errors));
  });

  it('divides alpha without handing out more than there is', () => {
    expect(Object.values(SHARES).reduce((sum, each) => sum + each, 0)).toBe(1);
  });

  it('averages exponentials that no double can hold', () => {
    expect(logMeanExp([1e6, 1e6 - 1])).toBeCloseTo(1e6 + Math.log((1 + Math.exp(-1)) / 2), 6);
    expect(logMeanExp([])).toBe(-Infinity);
  });

  it('is what the simulation of the bench follows event by event', () => {
    expect(checkWatcher(3)).toBe(0);
  });
});
