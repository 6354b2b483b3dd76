import { sumEvidence } from '../analysis/evidence-store.ts';
import { judge, type JudgeInput } from '../analysis/judge.ts';
import type { Verdict } from '../analysis/verdict.ts';
import { type Observed, seen } from './observed.ts';
import type { Rollout, RolloutService } from './rollout.ts';

/** What the analysis of every service says at this moment, and the rollout with it written down. */
export interface Judged {
  rollout: Rollout;
  verdicts: { service: RolloutService; verdict: Verdict }[];
}

/**
 * Begins the analysis of every service that has a former release: beside it in a canary, and against its limits in the
 * window. The baseline's quantiles are frozen here, before the new release can have touched anything that both share.
 *
 * A rollback is not judged: a person left the other release for a reason, and going back to it by itself because of,
 * say, an outage that both see would be the worst of answers.
 */
export function beginAnalysis(rollout: Rollout, observed: Observed): Rollout {
  if (rollout.kind === 'rollback') return rollout;
  const analysis = { ...rollout.analysis };
  for (const each of rollout.services.filter(isComparable)) {
    const service = seen(observed, each);
    const { evidence, baselineSlow } = service;
    analysis[each.service] = { slow: baselineSlow, evidence, windowStart: null, verdict: null };
  }
  return { ...rollout, analysis };
}

/** It has traffic, and a former release that had it before. */
export const isComparable = (each: RolloutService): boolean => each.from !== null && each.kind !== 'worker';

/** From the first look at 100 % on, the release is judged alone: what came before is left out of that test. */
export function openWindow(rollout: Rollout, observed: Observed): Rollout {
  const open = rollout.services.filter((each) => rollout.analysis[each.service]?.windowStart === null);
  if (open.length === 0) return rollout;
  const analysis = { ...rollout.analysis };
  for (const each of open) {
    const before = analysis[each.service];
    if (before !== undefined)
      analysis[each.service] = { ...before, windowStart: sumEvidence(seen(observed, each).evidence) };
  }
  return { ...rollout, analysis };
}

/**
 * Judges each service whose analysis has begun; one alpha is shared by all of them.
 *
 * @param at.weight percent of sessions that the new releases have
 * @param at.phaseComplete nothing passes before the time of step or window is over
 * @param lostOf why a service's new release answers nobody any more, or null
 */
export function judgeServices(
  rollout: Rollout,
  observed: Observed,
  at: { weight: number; phaseComplete: boolean },
  lostOf: (observed: Observed, each: RolloutService) => string | null,
): Judged {
  const judged = rollout.services.filter((each) => rollout.analysis[each.service] !== undefined);
  const analysis = { ...rollout.analysis };
  const verdicts = judged.map((each) => {
    const before = analysis[each.service];
    const { evidence, inner } = seen(observed, each);
    const windowStart = before?.windowStart ?? null;
    const facts = {
      limits: { errorRate: each.limits.errorRate ?? undefined, p95Ms: each.limits.p95Ms ?? undefined },
      phaseComplete: at.phaseComplete,
      canaryLost: lostOf(observed, each),
      services: judged.length,
      minRequests: each.limits.minRequests ?? undefined,
    };
    const compared = judge({
      ...facts,
      evidence: observed.edgeReachable || Object.keys(evidence.epochs).length > 0 ? sumEvidence(evidence) : null,
      weight: at.weight,
      windowStart,
    });
    const nobodyElseAsks = at.weight < 100 && compared.verdict === 'inconclusive' && compared.canaryRequests === 0;
    // Asked by its companions only: never split by chance, it has nothing beside it, and is held against its limits.
    const alone = inner !== undefined && nobodyElseAsks;
    const verdict = alone ? judgeAlone({ ...facts, evidence: sumEvidence(inner), weight: 100 }) : compared;
    analysis[each.service] = { slow: before?.slow ?? null, windowStart, evidence, inner, verdict };
    return { service: each, verdict };
  });
  return { rollout: { ...rollout, analysis }, verdicts };
}

function judgeAlone(input: JudgeInput): Verdict {
  const verdict = judge(input);
  return {
    ...verdict,
    reason: `Asked by services of this rollout alone, so held against its limits. ${verdict.reason}`,
  };
}
