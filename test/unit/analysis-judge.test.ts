import { describe, expect, it } from 'vitest';
import type { EvidenceTotals } from '../../src/domain/analysis/evidence-store.ts';
import type { ArmTotals, WeightCounts } from '../../src/domain/analysis/evidence.ts';
import { judge, type JudgeInput } from '../../src/domain/analysis/judge.ts';
import { bucketOf } from '../../src/lib/histogram.ts';

const limits = { errorRate: 0.01, p95Ms: 1000 };

function arm(requests: number, bad = 0, more: { sessions?: number; slowest?: number } = {}): ArmTotals {
  const { sessions = requests, slowest = 200 } = more;
  // Nine of ten answer in 100 ms, the tenth as slow as told.
  const slow = Math.ceil(requests / 10);
  const ttfb = requests > 0 ? [bucketOf(100), requests - slow, bucketOf(slowest), slow] : [];
  return { requests, sessions, bad, slowP75: 0, slowP95: 0, ttfb };
}

function evidence(
  arms: { canary: ArmTotals; baseline: ArmTotals },
  metrics: Partial<Record<'errors' | 'slowP75' | 'slowP95', WeightCounts[]>> = {},
): EvidenceTotals {
  return { arms, metrics: { errors: [], slowP75: [], slowP95: [], ...metrics } };
}

const at = (canary: number, baseline: number, weight = 10): WeightCounts[] => [{ weight, canary, baseline }];

function verdictOf(input: Partial<JudgeInput>) {
  return judge({ evidence: null, weight: 10, limits, phaseComplete: true, ...input });
}

describe('judging a canary beside its baseline', () => {
  it('passes a canary like its baseline, and names what it would have caught', () => {
    const verdict = verdictOf({
      evidence: evidence({ canary: arm(1000, 1), baseline: arm(9000, 9) }, { errors: at(1, 9) }),
    });
    expect(verdict).toMatchObject({ verdict: 'pass', test: 'owner', canaryRequests: 1000, baselineRequests: 9000 });
    expect(verdict.detectable).toBeGreaterThan(0.01);
    expect(verdict.detectable).toBeLessThan(0.02);
    expect(verdict.reason).toContain('would have been caught with 90 % probability');
    expect(verdict.metrics.map((metric) => metric.state)).toEqual(['ok', 'ok', 'ok']);
  });

  it('fails what is proven worse and over its limit, at once, with the numbers', () => {
    const seen = evidence({ canary: arm(105, 5), baseline: arm(945, 1) }, { errors: at(5, 1) });
    const verdict = verdictOf({ evidence: seen, phaseComplete: false });
    expect(verdict.verdict).toBe('fail');
    expect(verdict.metrics[0]).toMatchObject({
      metric: 'errors',
      state: 'fail',
      progress: 1,
      threshold: expect.closeTo(200),
    });
    expect(verdict.reason).toMatch(/errors 4\.8 % of 105 canary requests, baseline 0\.11 % of 945; limit 1 %/);
  });

  it('fails a canary that is slower and over the limit for it', () => {
    const slow = { slowP75: at(300, 1100), slowP95: at(300, 220) };
    const seen = evidence({ canary: arm(400, 0, { slowest: 1500 }), baseline: arm(3600) }, slow);
    const verdict = verdictOf({ evidence: seen });
    expect(verdict.verdict).toBe('fail');
    expect(verdict.reason).toMatch(/p95 1\d{3} ms .* limit 1000 ms/);
  });

  it('only warns of what is worse but within its limit', () => {
    const seen = evidence({ canary: arm(4000, 30), baseline: arm(36_000, 20) }, { errors: at(30, 20) });
    const verdict = verdictOf({ evidence: seen });
    expect(verdict.verdict).toBe('pass');
    expect(verdict.metrics[0]?.state).toBe('warn');
    expect(verdict.reason).toContain('worse than the baseline (errors)');
  });

  it('holds what is over the limit without proof, and says how much more would prove it', () => {
    const verdict = verdictOf({
      evidence: evidence({ canary: arm(100, 2), baseline: arm(900, 1) }, { errors: at(2, 1) }),
    });
    expect(verdict.verdict).toBe('inconclusive');
    expect(verdict.metrics[0]?.state).toBe('hold');
    expect(verdict.neededRequests).toBeGreaterThan(0);
  });

  it('does not blame the canary for an outage that the baseline shares', () => {
    const seen = evidence({ canary: arm(1000, 100), baseline: arm(9000, 900) }, { errors: at(100, 900) });
    const verdict = verdictOf({ evidence: seen });
    expect(verdict.verdict).toBe('inconclusive');
    expect(verdict.reason).toContain('the baseline breaks it too');
    expect(verdict.neededRequests).toBeNull();
  });

  it('counts a session once, so that one unlucky visitor proves nothing', () => {
    const seen = evidence(
      { canary: arm(1000, 100, { sessions: 200 }), baseline: arm(9000, 0, { sessions: 1800 }) },
      { errors: at(1, 0) },
    );
    expect(verdictOf({ evidence: seen }).verdict).toBe('inconclusive');
  });

  it('gives several services of one rollout one alpha', () => {
    const seen = evidence({ canary: arm(105, 3), baseline: arm(945) }, { errors: at(3, 0) });
    expect(verdictOf({ evidence: seen }).verdict).toBe('fail');
    expect(verdictOf({ evidence: seen, services: 3 }).verdict).toBe('inconclusive');
  });
});

describe('what is not enough to pass', () => {
  it.each([null, evidence({ canary: arm(0), baseline: arm(500) })])('no canary request', (seen) => {
    const verdict = verdictOf({ evidence: seen });
    expect(verdict).toMatchObject({ verdict: 'inconclusive', detectable: null });
    expect(verdict.neededRequests).toBeGreaterThan(0);
    expect(verdict.reason).toContain('No request reached the canary');
  });

  it('a step that is not over', () => {
    const seen = evidence({ canary: arm(5000, 1), baseline: arm(45_000, 9) }, { errors: at(1, 9) });
    expect(verdictOf({ evidence: seen, phaseComplete: false })).toMatchObject({
      verdict: 'inconclusive',
      neededRequests: null,
    });
  });

  it('too few requests to have seen a broken release; the number said to be missing is enough', () => {
    const verdict = verdictOf({ evidence: evidence({ canary: arm(20), baseline: arm(180) }) });
    expect(verdict.verdict).toBe('inconclusive');
    const enough = 20 + (verdict.neededRequests ?? 0);
    expect(verdictOf({ evidence: evidence({ canary: arm(enough), baseline: arm(9 * enough) }) }).verdict).toBe('pass');
  });

  it('many requests of few sessions', () => {
    const seen = evidence({ canary: arm(1000, 0, { sessions: 5 }), baseline: arm(9000, 0, { sessions: 45 }) });
    expect(verdictOf({ evidence: seen }).verdict).toBe('inconclusive');
  });

  it('a canary without a baseline beside it, though it should have one, gets no easier', () => {
    const verdict = verdictOf({ evidence: evidence({ canary: arm(20), baseline: arm(0) }) });
    expect(verdict.verdict).toBe('inconclusive');
  });

  it('fewer requests than a user asked for', () => {
    const seen = evidence({ canary: arm(1000), baseline: arm(9000) });
    expect(verdictOf({ evidence: seen, minRequests: 1500 })).toMatchObject({
      verdict: 'inconclusive',
      neededRequests: 500,
    });
    expect(verdictOf({ evidence: seen, minRequests: 10 }).verdict).toBe('pass');
  });
});

describe('judging without a baseline', () => {
  const baseline = arm(9000, 9);

  it('says that it used the window test, against the limits alone', () => {
    const verdict = verdictOf({
      weight: 100,
      evidence: evidence({ canary: arm(4000, 3), baseline }, { errors: at(3, 0, 100) }),
    });
    expect(verdict).toMatchObject({ verdict: 'pass', test: 'window' });
    expect(verdict.metrics.map((metric) => metric.metric)).toEqual(['errors', 'p95']);
  });

  it('looks only at what came after the release had all traffic', () => {
    const start = evidence({ canary: arm(1000, 100), baseline });
    const now = evidence({ canary: arm(3000, 101), baseline }, { errors: at(1, 0, 100) });
    expect(verdictOf({ weight: 100, evidence: now, windowStart: start })).toMatchObject({
      verdict: 'pass',
      canaryRequests: 2000,
    });
  });

  it('fails errors over the limit, spread over many sessions or filling few of them', () => {
    const spread = evidence({ canary: arm(4000, 160, { sessions: 500 }), baseline }, { errors: at(140, 0, 100) });
    const filled = evidence({ canary: arm(8000, 640, { sessions: 1000 }), baseline }, { errors: at(80, 0, 100) });
    expect(verdictOf({ weight: 100, evidence: spread }).verdict).toBe('fail');
    expect(verdictOf({ weight: 100, evidence: filled }).verdict).toBe('fail');
  });

  it('does not fail because one client fails in a loop, whatever others met before the release had all traffic', () => {
    const loop = evidence(
      { canary: arm(8000, 4000, { sessions: 1000 }), baseline },
      { errors: [...at(60, 500, 10), ...at(1, 0, 100)] },
    );
    expect(verdictOf({ weight: 100, evidence: loop }).verdict).toBe('inconclusive');
  });

  it('fails a p95 that is over its limit for many sessions', () => {
    const slow = evidence({ canary: arm(2000, 0, { slowest: 3000 }), baseline }, { slowP95: at(200, 0, 100) });
    expect(verdictOf({ weight: 100, evidence: slow }).verdict).toBe('fail');
  });
});

describe('what is no measurement', () => {
  it('the loss of the last instance is evidence', () => {
    const verdict = verdictOf({ canaryLost: 'api@43 exited with code 1', phaseComplete: false });
    expect(verdict.verdict).toBe('fail');
    expect(verdict.reason).toContain('api@43 exited with code 1');
  });

  it('evidence that cannot be trusted is an error, not an opinion', () => {
    expect(verdictOf({ evidenceError: 'the report is of another rollout' }).verdict).toBe('error');
    expect(verdictOf({ limits: { errorRate: Number.NaN } }).verdict).toBe('error');
    expect(verdictOf({ limits: { p95Ms: 0 } }).verdict).toBe('error');
  });

  it('without limits nothing fails', () => {
    const seen = evidence({ canary: arm(1000, 500), baseline: arm(9000, 1) }, { errors: at(300, 1) });
    const verdict = verdictOf({ evidence: seen, limits: {} });
    expect(verdict.verdict).toBe('pass');
    expect(verdict.metrics[0]?.state).toBe('warn');
    expect(verdictOf({ evidence: seen, limits: {}, weight: 100 }).verdict).toBe('pass');
  });
});
