import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as histogram from '../../src/lib/histogram.ts';

const times = fc.array(fc.double({ min: 0, max: 150_000, noNaN: true }), { minLength: 1, maxLength: 200 });

function of(values: readonly number[]) {
  const counts = histogram.createHistogram();
  for (const value of values) histogram.record(counts, value);
  return counts;
}

describe('latency histogram', () => {
  it('bounds every quantile', () => {
    fc.assert(
      fc.property(times, fc.double({ min: 0, max: 1, noNaN: true }), (values, q) => {
        const sorted = [...values].toSorted((a, b) => a - b);
        const truth = sorted[Math.max(1, Math.ceil(q * values.length)) - 1] ?? 0;
        const found = histogram.quantile(of(values), q);
        expect(found).toBeDefined();
        if (found === undefined) return;
        expect(found.low).toBeLessThanOrEqual(truth);
        expect(found.high).toBeGreaterThan(truth);
        expect(Math.abs(found.estimate - truth)).toBeLessThanOrEqual(
          Math.max(0.005, truth * histogram.RELATIVE_ERROR) + 1e-9,
        );
      }),
    );
  });

  it('adds as if all had been recorded in one, and subtracts back to the difference', () => {
    fc.assert(
      fc.property(times, times, (a, b) => {
        const both = of(a);
        histogram.add(both, of(b));
        expect(both).toEqual(of([...a, ...b]));
        histogram.subtract(both, of(a));
        expect(both).toEqual(of(b));
      }),
    );
  });

  it('survives JSON', () => {
    fc.assert(
      fc.property(times, (values) => {
        const counts = JSON.parse(JSON.stringify(histogram.toCounts(of(values)))) as number[];
        expect(histogram.fromCounts(counts)).toEqual(of(values));
        expect(histogram.total(histogram.fromCounts(counts))).toBe(values.length);
      }),
    );
  });

  it('reads foreign counts without breaking', () => {
    fc.assert(
      fc.property(fc.array(fc.double()), (counts) => {
        const read = histogram.fromCounts(counts);
        expect(read.length).toBe(histogram.BUCKETS);
        expect(read.every((count) => count >= 0)).toBe(true);
      }),
    );
  });
});
