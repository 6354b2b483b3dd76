import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quantileInterval, shareInterval } from '../../src/domain/analysis/interval.ts';
import { createHistogram, quantile, record } from '../../src/lib/histogram.ts';

/** Random, and the same each time. */
function chances(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d_2b_79_f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

describe('the uncertainty of a share', () => {
  it('is that of Wilson’s score', () => {
    // Agresti and Coull, 1998: none of ten is 0 to 27.8 %.
    const [low, high] = shareInterval(0, 10) ?? [];
    expect(low).toBe(0);
    expect(high).toBeCloseTo(0.278, 3);
    expect(shareInterval(0, 0)).toBeNull();
  });

  it('holds the share, lies between nothing and all, and grows with fewer', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100_000 }), fc.nat(100), (of, percent) => {
        const count = Math.floor((of * percent) / 100);
        const [low = 1, high = 0] = shareInterval(count, of) ?? [];
        expect(low).toBeGreaterThanOrEqual(0);
        expect(high).toBeLessThanOrEqual(1);
        expect(low).toBeLessThanOrEqual(count / of + 1e-12);
        expect(high).toBeGreaterThanOrEqual(count / of - 1e-12);
        const [less = 0, more = 1] = shareInterval(count * 10, of * 10) ?? [];
        expect(more - less).toBeLessThanOrEqual(high - low + 1e-12);
      }),
    );
  });

  it('has the truth in it about 19 times of 20', () => {
    const chance = chances(7);
    let inside = 0;
    for (let round = 0; round < 2_000; round++) {
      let bad = 0;
      for (let request = 0; request < 200; request++) if (chance() < 0.05) bad++;
      const [low = 1, high = 0] = shareInterval(bad, 200) ?? [];
      if (low <= 0.05 && 0.05 <= high) inside++;
    }
    expect(inside / 2_000).toBeGreaterThan(0.92);
    expect(inside / 2_000).toBeLessThan(0.98);
  });
});

describe('the uncertainty of a p95', () => {
  it('has the truth in it about 19 times of 20, and is nothing of nothing', () => {
    const chance = chances(11);
    let inside = 0;
    for (let round = 0; round < 500; round++) {
      const histogram = createHistogram();
      for (let request = 0; request < 400; request++) record(histogram, 1 + chance() * 999);
      const [low = 1, high = 0] = quantileInterval(histogram, 0.95) ?? [];
      if (low <= 950 && 950 <= high) inside++;
    }
    expect(inside / 500).toBeGreaterThan(0.92);
    expect(quantileInterval(createHistogram(), 0.95)).toBeNull();
  });

  it('holds what is shown beside it', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 60_000 }), { minLength: 1, maxLength: 300 }), (all) => {
        const histogram = createHistogram();
        for (const ms of all) record(histogram, ms);
        const p95 = quantile(histogram, 0.95)?.estimate ?? 0;
        const [low = p95 + 1, high = 0] = quantileInterval(histogram, 0.95) ?? [];
        expect(low).toBeLessThanOrEqual(p95);
        expect(high).toBeGreaterThanOrEqual(p95);
      }),
    );
  });
});
