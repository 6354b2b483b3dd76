import type { ArmTotals } from './evidence.ts';
import { armSince, type EvidenceTotals, noEvidence, sumEvidence } from './evidence-store.ts';
import { type Limits, type MetricVerdict, ownerMetrics, windowMetrics } from './metric-verdict.ts';
import { SHARES } from './owner-test.ts';
import {
  type OwnerPlan,
  ownerDetectable,
  ownerUnits,
  ownerUnitsToProof,
  windowDetectable,
  type WindowPlan,
  windowUnits,
  windowUnitsToProof,
} from './power.ts';
import { failure, holding, type Judged, passing, seen, waiting } from './reason.ts';
import type { Verdict } from './verdict.ts';
import { unitsOf } from './window-test.ts';

export interface JudgeInput {
  /** What all edges together have seen; `null` before the first report. */
  readonly evidence: EvidenceTotals | null;
  /** Percent of sessions that the canary has now. At 100 nothing runs beside it, and the window test is used. */
  readonly weight: number;
  /** The totals at the moment when the canary got 100 %; what came before is left out of the window test. */
  readonly windowStart?: EvidenceTotals | null;
  readonly limits: Limits;
  /** The step's time is over. Nothing passes before. */
  readonly phaseComplete: boolean;
  /** Why the canary has no healthy instance left, if it lost its last one. Evidence, not missing data. */
  readonly canaryLost?: string | null;
  /** Why the evidence cannot be trusted (unreadable, of another rollout), if so. */
  readonly evidenceError?: string | null;
  /** Canary requests without which nothing passes; default: see `TIMES_LIMIT`. */
  readonly minRequests?: number | undefined;
  /** How many services are judged as one unit: they share one alpha. */
  readonly services?: number;
}

/**
 * What a passing canary must have been able to show, when `minRequests` is not configured: had it failed at ten times
 * its limit (10 % for the default limit of 1 %), it would have been caught with 90 % probability. A release that is
 * plainly broken is then caught, and a small team gets there: some 60 canary sessions beside a baseline that is well,
 * or one request a second for 10 minutes at 10 %. Less than that is no judgement, and a person decides. Finer
 * differences need more traffic than such a team has in a step; the window goes on looking for them.
 * Where many of the baseline's own sessions see an error, ten times the limit may be less than that: then it is three
 * times what the baseline has.
 */
const TIMES_LIMIT = 10;
const TIMES_BASELINE = 3;
/** Without a limit for errors, and as the highest rate that may go unseen. */
const WITHOUT_LIMIT = 0.1;
const HIGHEST = 0.9;
/** At 100 % without a limit for errors there is nothing to compute with: then this many requests, as in the example above. */
const PLAIN_COUNT = 60;

const NOTHING = sumEvidence(noEvidence(''));

/** Judges a canary from what was seen so far. Pure: the same input gives the same verdict. */
export function judge(input: JudgeInput): Verdict {
  const verdict = judged(input);
  const { test } = verdict;
  return test === 'counts' ? { ...verdict, reason: `${verdict.reason} Judged by counts of requests.` } : verdict;
}

function judged(input: JudgeInput): Verdict {
  const totals = input.evidence;
  const test = input.weight >= 100 ? 'window' : totals?.unit === 'requests' ? 'counts' : 'owner';
  const canary = totals === null ? null : test === 'window' ? sinceWindow(totals, input) : totals.arms.canary;
  const base = {
    test,
    canaryRequests: canary?.requests ?? 0,
    baselineRequests: totals?.arms.baseline.requests ?? 0,
  } as const;
  const bare = { ...base, metrics: [], neededRequests: null, detectable: null };
  const wrong = input.evidenceError ?? wrongLimit(input.limits);
  if (input.canaryLost) {
    const who = test === 'window' ? 'It' : 'The canary';
    const reason = `${who} lost its last healthy instance: ${input.canaryLost} (${seen(base.canaryRequests)}).`;
    const metrics = totals === null || canary === null || wrong ? [] : metricsOf(test, canary, totals, input);
    return { ...bare, verdict: 'fail', reason, metrics };
  }
  if (wrong) return { ...bare, verdict: 'error', reason: `The canary could not be judged: ${wrong}.` };
  if (totals === null || canary === null || canary.requests === 0) {
    const reason = `No request reached the canary${input.phaseComplete ? ' during this step' : ' yet'}, so nothing is known about it.`;
    const fresh = test === 'window' ? windowPower(input) : ownerPower(totals ?? NOTHING, input);
    const neededRequests = stillMissing(input, 0, 0, null, fresh);
    return { ...bare, verdict: 'inconclusive', reason, neededRequests };
  }
  const metrics = metricsOf(test, canary, totals, input);
  const power = test === 'window' ? windowPower(input) : ownerPower(totals, input);
  const units = unitsOf(canary.requests, canary.sessions);
  const detectable = power.detectable(units);
  const facts: Judged = { ...base, metrics, detectable };
  const perUnit = canary.requests / units;

  const failed = metrics.find((metric) => metric.state === 'fail');
  if (failed) {
    return { ...facts, verdict: 'fail', reason: failure(failed, facts), neededRequests: null };
  }
  const held = metrics.find((metric) => metric.state === 'hold');
  if (held) {
    const more = held.metric === 'errors' ? power.toProof(canary, held.logE) : undefined;
    const neededRequests = more === undefined ? null : Math.ceil(more * perUnit);
    return { ...facts, verdict: 'inconclusive', reason: holding(held, facts, neededRequests), neededRequests };
  }
  const missing = stillMissing(input, canary.requests, units, detectable, power);
  if (missing !== 0 || !input.phaseComplete) {
    const reason = waiting(facts, missing, input.phaseComplete);
    return { ...facts, verdict: 'inconclusive', reason, neededRequests: missing === 0 ? null : missing };
  }
  return { ...facts, verdict: 'pass', reason: passing(facts), neededRequests: null };
}

/** How many canary requests are missing for a pass; 0 when there are enough, null when no number would be. */
function stillMissing(
  input: JudgeInput,
  requests: number,
  units: number,
  detectable: number | null,
  power: Power,
): number | null {
  const plain = input.minRequests ?? (power.wanted === null ? PLAIN_COUNT : undefined);
  if (plain !== undefined || power.wanted === null) return Math.max(0, Math.ceil((plain ?? PLAIN_COUNT) - requests));
  if (detectable !== null && detectable <= power.wanted) return 0;
  const needed = power.unitsFor(power.wanted);
  return needed === undefined ? null : Math.max(1, Math.ceil((needed - units) * (units > 0 ? requests / units : 1)));
}

function wantedRate(limit: number | undefined, baselineRate: number): number {
  const byLimit = limit === undefined ? WITHOUT_LIMIT : limit * TIMES_LIMIT;
  return Math.min(HIGHEST, Math.max(byLimit, baselineRate * TIMES_BASELINE));
}

/** What a test could have seen. */
interface Power {
  /** The rate that a pass must have been able to catch; null: the test does not look at errors. */
  readonly wanted: number | null;
  detectable(units: number): number | null;
  unitsFor(rate: number): number | undefined;
  toProof(canary: ArmTotals, logE: number): number | undefined;
}

function ownerPower(totals: EvidenceTotals, input: JudgeInput): Power {
  const { canary, baseline } = totals.arms;
  const canaryUnits = unitsOf(canary.requests, canary.sessions);
  const baselineUnits = unitsOf(baseline.requests, baseline.sessions);
  const bad = totals.metrics.errors.filter((each) => each.weight > 0 && each.weight < 100);
  const rate = (arm: 'canary' | 'baseline', units: number) =>
    units > 0 ? Math.min(1, bad.reduce((sum, each) => sum + each[arm], 0) / units) : 0;
  const baselineRate = rate('baseline', baselineUnits);
  const limit = input.limits.errorRate;
  // Over all steps together: what the canary had of the units; what it was meant to have while one of them has none.
  const weight =
    baselineUnits > 0 && canaryUnits > 0 ? canaryUnits / (canaryUnits + baselineUnits) : input.weight / 100;
  const plan: OwnerPlan = { share: SHARES.errors / (input.services ?? 1), weight, baselineRate, limit: limit ?? 0 };
  return {
    wanted: wantedRate(limit, baselineRate),
    detectable: (units) => ownerDetectable(plan, units) ?? null,
    unitsFor: (wanted) => ownerUnits(plan, wanted),
    toProof: (_, logE) => ownerUnitsToProof(plan, rate('canary', canaryUnits), logE),
  };
}

function windowPower(input: JudgeInput): Power {
  const limit = input.limits.errorRate;
  if (limit === undefined) {
    return { wanted: null, detectable: () => null, unitsFor: () => undefined, toProof: () => undefined };
  }
  const plan: WindowPlan = { share: SHARES.window / 2 / (input.services ?? 1), limit };
  return {
    wanted: wantedRate(limit, 0),
    detectable: (units) => windowDetectable(plan, units) ?? null,
    unitsFor: (wanted) => windowUnits(plan, wanted),
    toProof: (canary, logE) => windowUnitsToProof(plan, canary.bad / canary.requests, logE),
  };
}

function metricsOf(
  test: Verdict['test'],
  canary: ArmTotals,
  totals: EvidenceTotals,
  input: JudgeInput,
): MetricVerdict[] {
  const services = input.services ?? 1;
  return test === 'window'
    ? windowMetrics(canary, totals, input.limits, services)
    : ownerMetrics(totals, input.limits, services);
}

function sinceWindow(totals: EvidenceTotals, input: JudgeInput): ArmTotals {
  const start = input.windowStart;
  return start ? armSince(totals.arms.canary, start.arms.canary) : totals.arms.canary;
}

function wrongLimit(limits: Limits): string | null {
  const { errorRate, p95Ms } = limits;
  if (errorRate !== undefined && !(errorRate > 0 && errorRate <= 1))
    return `the error rate limit is ${errorRate}, not a share above 0`;
  if (p95Ms !== undefined && !(p95Ms > 0)) return `the p95 limit is ${p95Ms} ms, not a time above 0`;
  return null;
}
