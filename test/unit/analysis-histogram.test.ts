import { describe, expect, it } from 'vitest';
import { BUCKETS, bucketFloor, bucketOf, createHistogram, MAX_MS, quantile, record } from '../../src/lib/histogram.ts';

describe('latency histogram', () => {
  it('puts every bucket bound into its own bucket, without gap or overlap', () => {
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      const low = bucketFloor(bucket);
      const high = bucketFloor(bucket + 1);
      expect(high).toBeGreaterThan(low);
      expect(bucketOf((low + high) / 2)).toBe(bucket);
    }
  });

  it('counts what no clock should say instead of losing it or breaking', () => {
    expect(bucketOf(-5)).toBe(0);
    expect(bucketOf(Number.NaN)).toBe(0);
    expect(bucketOf(Number.POSITIVE_INFINITY)).toBe(BUCKETS - 1);
    expect(bucketOf(MAX_MS * 1000)).toBe(BUCKETS - 1);
  });

  it('knows no quantile of nothing', () => {
    expect(quantile(createHistogram(), 0.95)).toBeUndefined();
  });

  it('finds the 95th percentile of a known distribution within its stated error', () => {
    const histogram = createHistogram();
    for (let ms = 1; ms <= 1000; ms++) record(histogram, ms);
    const p95 = quantile(histogram, 0.95);
    expect(p95?.low).toBeLessThanOrEqual(950);
    expect(p95?.high).toBeGreaterThan(950);
    expect(Math.abs((p95?.estimate ?? 0) - 950) / 950).toBeLessThan(1 / 64 + 1e-9);
  });
});
