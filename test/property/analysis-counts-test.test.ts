import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { simulateCounts, simulateCountsDetection } from '../../bench/analysis/counts.ts';
import { countsReport, evenIntervals, NO_COUNTS } from '../../src/domain/analysis/counts-test.ts';
import { countedUntil, mergeEvidence, noEvidence, sumEvidence } from '../../src/domain/analysis/evidence-store.ts';
import { evidenceReportSchema } from '../../src/domain/analysis/evidence-schema.ts';
import { judge } from '../../src/domain/analysis/judge.ts';
import { ownerTest } from '../../src/domain/analysis/owner-test.ts';

const mark = { rollout: 'r1/api', epoch: 'cloud', sequence: 7, countedUntil: 60_000 };
const counts = (requests: number, bad: number) => ({ ...NO_COUNTS, requests, bad });
const minute = (canary: [number, number], baseline: [number, number], from = 0) => ({
  from,
  until: from + 60_000,
  canary: counts(...canary),
  baseline: counts(...baseline),
});

/** Whether exp(ln E) of one interval has a mean of at most 1 when the bad ones are dealt out by chance. */
function meanEvidence(canary: number, baseline: number, bad: number): number {
  const choose = (n: number, k: number): number => {
    let log = 0;
    for (let i = 0; i < k; i++) log += Math.log((n - i) / (i + 1));
    return log;
  };
  let mean = 0;
  for (let x = Math.max(0, bad - baseline); x <= Math.min(bad, canary); x++) {
    const p = Math.exp(choose(canary, x) + choose(baseline, bad - x) - choose(canary + baseline, bad));
    const report = countsReport([{ interval: minute([canary, x], [baseline, bad - x]), weight: 10 }], mark);
    mean += p * Math.exp(ownerTest(report.metrics.errors));
  }
  return mean;
}

describe('the counts test', () => {
  it('has a mean of at most 1 over every way in which chance deals the bad requests out', () => {
    const size = fc.integer({ min: 1, max: 60 });
    fc.assert(
      fc.property(size, size, fc.integer({ min: 1, max: 40 }), (canary, baseline, bad) => {
        fc.pre(bad <= canary + baseline);
        expect(meanEvidence(canary, baseline, bad)).toBeLessThanOrEqual(1 + 1e-9);
      }),
      { numRuns: 200 },
    );
  });

  it('takes at most 1 % of innocent releases back, with outages, loops and a changing split', () => {
    const common = { rollouts: 800, seed: 11, outages: true } as const;
    for (const requestsPerMinute of [60, 600])
      for (const rate of [0.002, 0.05])
        expect(simulateCounts({ ...common, requestsPerMinute, baseline: rate, canary: rate }).proven).toBeLessThan(
          0.01,
        );
  });

  it('is not honest where requests of one client stay together, which is why that must be off', () => {
    const sticky = { rollouts: 400, seed: 3, requestsPerMinute: 600, outages: true, stuckTogether: 10 } as const;
    expect(simulateCounts({ ...sticky, baseline: 0.02, canary: 0.02 }).proven).toBeGreaterThan(0.05);
  });

  it('catches a bad release about as soon as the owner test', () => {
    const common = { rollouts: 2000, seed: 5, requestsPerMinute: 300 } as const;
    // Looked at once a minute, with 30 canary requests in it.
    expect(simulateCountsDetection({ ...common, baseline: 0.001, canary: 0.05 }).requests).toBeLessThan(110);
    expect(simulateCountsDetection({ ...common, baseline: 0.001, canary: 0.02 }).ratio).toBeLessThan(1.7);
    expect(simulateCountsDetection({ ...common, baseline: 0.01, canary: 0.03 }).ratio).toBeLessThan(1.8);
  });

  it('leaves out what lies across a change of the split, or right behind it', () => {
    const splits = [
      { at: 100_000, weight: 10 },
      { at: 400_000, weight: 50 },
    ];
    const from = [0, 60, 120, 180, 240, 300, 360, 420, 480].map((s) => s * 1000);
    const even = evenIntervals(
      from.map((at) => minute([1, 0], [9, 0], at)),
      splits,
      30_000,
    );
    expect(even.map(({ interval, weight }) => [interval.from / 1000, weight])).toEqual([
      [180, 10],
      [240, 10],
      [300, 10],
      [480, 50],
    ]);
  });

  it('keeps a common outage while the canary had more traffic from looking like its own', () => {
    const even = [
      { interval: minute([100, 0], [900, 0]), weight: 10 },
      { interval: minute([500, 250], [500, 250], 60_000), weight: 50 },
    ];
    expect(ownerTest(countsReport(even, mark).metrics.errors)).toBeLessThan(0);
  });
});

describe('a report of counts', () => {
  const bad = [{ interval: minute([100, 9], [900, 1]), weight: 10 }];

  it('is read like any other, and its verdict says which test it was', () => {
    const report = evidenceReportSchema.parse(JSON.parse(JSON.stringify(countsReport(bad, mark))));
    const stored = mergeEvidence(noEvidence('r1/api'), report);
    const verdict = judge({
      evidence: sumEvidence(stored),
      weight: 10,
      limits: { errorRate: 0.01 },
      phaseComplete: false,
    });
    expect(verdict).toMatchObject({ verdict: 'fail', test: 'counts', canaryRequests: 100, baselineRequests: 900 });
    expect(verdict.reason).toContain('Judged by counts of requests');
    expect(countedUntil(stored)).toBe(60_000);
  });

  it('passes nothing while no counts have come', () => {
    const stored = mergeEvidence(noEvidence('r1/api'), countsReport([], mark));
    const verdict = judge({
      evidence: sumEvidence(stored),
      weight: 10,
      limits: { errorRate: 0.01 },
      phaseComplete: true,
    });
    expect(verdict).toMatchObject({ verdict: 'inconclusive', test: 'counts' });
  });

  it('counts what came while it was alone for the window, and nothing of a split with one owner', () => {
    const report = countsReport(
      [
        { interval: minute([50, 5], [0, 0]), weight: 10 },
        { interval: minute([200, 4], [3, 3], 60_000), weight: 100 },
      ],
      mark,
    );
    expect(report.metrics.errors).toEqual([{ weight: 100, canary: 4, baseline: 0 }]);
    expect(report.arms.baseline.requests).toBe(0);
  });
});
