import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { simulateFalseAborts, simulateWindow } from '../../bench/analysis/false-aborts.ts';
import type { EvidenceTotals } from '../../src/domain/analysis/evidence-store.ts';
import { judge } from '../../src/domain/analysis/judge.ts';
import { windowTest } from '../../src/domain/analysis/window-test.ts';
import { BUCKETS } from '../../src/lib/histogram.ts';

const count = fc.oneof(fc.nat(5), fc.nat(10_000), fc.constantFrom(0, 1e9, 1e15, Number.MAX_SAFE_INTEGER));
const weights = fc.array(
  fc.record({
    weight: fc.oneof(fc.constantFrom(0, 1, 10, 50, 99, 100), fc.double({ min: 0, max: 100, noNaN: true })),
    canary: count,
    baseline: count,
  }),
  { maxLength: 4 },
);
const arm = fc.record({
  requests: count,
  sessions: count,
  bad: count,
  slowP75: count,
  slowP95: count,
  ttfb: fc.array(fc.tuple(fc.nat(BUCKETS - 1), count), { maxLength: 4 }).map((pairs) => pairs.flat()),
});
const evidence: fc.Arbitrary<EvidenceTotals> = fc.record({
  metrics: fc.record({ errors: weights, slowP75: weights, slowP95: weights }),
  arms: fc.record({ canary: arm, baseline: arm }),
});
const input = fc.record({
  evidence: fc.option(evidence),
  windowStart: fc.option(evidence),
  weight: fc.constantFrom(0, 1, 10, 50, 99, 100),
  limits: fc.record(
    { errorRate: fc.double({ min: 0.0001, max: 1, noNaN: true }), p95Ms: fc.double({ min: 1, max: 1e5, noNaN: true }) },
    { requiredKeys: [] },
  ),
  phaseComplete: fc.boolean(),
  services: fc.integer({ min: 1, max: 20 }),
});

function numbers(value: unknown): number[] {
  if (typeof value === 'number') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(numbers) : [];
}

describe('judge', () => {
  it('answers numbers that JSON can say and a sentence, whatever the counts', () => {
    fc.assert(
      fc.property(input, (given) => {
        const verdict = judge(given);
        expect(numbers(verdict).every(Number.isFinite)).toBe(true);
        expect(JSON.parse(JSON.stringify(verdict))).toEqual(verdict);
        expect(verdict.reason).toMatch(/^[A-Z].*\.$/);
        expect(verdict.reason).not.toMatch(/NaN|Infinity|undefined|null/);
        if (verdict.neededRequests !== null) expect(verdict.neededRequests).toBeGreaterThanOrEqual(0);
        for (const metric of verdict.metrics) {
          expect(metric.progress).toBeGreaterThanOrEqual(0);
          expect(metric.progress).toBeLessThanOrEqual(1);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('never passes before the step is over, without a canary request, or with anything over its limit', () => {
    fc.assert(
      fc.property(input, (given) => {
        const verdict = judge(given);
        if (verdict.verdict !== 'pass') return;
        expect(given.phaseComplete).toBe(true);
        expect(verdict.canaryRequests).toBeGreaterThan(0);
        for (const metric of verdict.metrics) {
          if (metric.limit !== null && metric.canary !== null) expect(metric.canary).toBeLessThan(metric.limit);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('fails exactly when a metric is proven and over its limit', () => {
    fc.assert(
      fc.property(input, (given) => {
        const verdict = judge(given);
        const broken = verdict.metrics.some(
          (metric) =>
            metric.progress >= 1 && metric.limit !== null && metric.canary !== null && metric.canary >= metric.limit,
        );
        expect(verdict.verdict === 'fail').toBe(broken);
      }),
      { numRuns: 300 },
    );
  });
});

describe('window test', () => {
  it('grows with bad sessions, shrinks with requests, and stays a number', () => {
    const data = fc.record({ requests: count, sessions: count, bad: count, badSessions: count });
    fc.assert(
      fc.property(data, fc.double({ min: 0.0001, max: 0.9999, noNaN: true }), (seen, limit) => {
        const logE = windowTest(seen, limit);
        expect(Number.isFinite(logE)).toBe(true);
        // With 2^53 requests the last digit is not always on the right side.
        const rounding = 1e-12 * Math.max(1, Math.abs(logE));
        expect(
          windowTest({ ...seen, bad: seen.bad + 1, badSessions: seen.badSessions + 1 }, limit),
        ).toBeGreaterThanOrEqual(logE - rounding);
        if (seen.requests > seen.sessions)
          expect(windowTest({ ...seen, requests: seen.requests * 2 }, limit)).toBeLessThanOrEqual(logE + rounding);
      }),
    );
  });

  it.each([false, true])('rarely fails a release whose rate is exactly its limit (clustered: %s)', (clustered) => {
    // At most 0.125 % by the theory: 5 of 400 are beyond chance.
    expect(simulateWindow({ rollouts: 400, sessions: 500, clustered, seed: 11 })).toBeLessThanOrEqual(4 / 400);
  });
});

describe('innocent rollouts', () => {
  it('are hardly ever taken back, with clustered sessions, common outages and weight steps', () => {
    // At most 0.75 % by the theory: 8 of 200 are beyond chance.
    const result = simulateFalseAborts({ rollouts: 200, seed: 5, canaryRequests: 3000, outages: true });
    expect(result.proven).toBeLessThanOrEqual(7 / 200);
    expect(result.evenkeel).toBeLessThanOrEqual(result.proven);
    // The simulation is one in which it is easy to be wrong.
    expect(result.flagger).toBeGreaterThan(0.3);
  });
});
