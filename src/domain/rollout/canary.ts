import { sumEvidence } from '../analysis/evidence-store.ts';
import { judge, type Verdict } from '../analysis/judge.ts';
import { gate } from './gate.ts';
import type { Observed } from './observed.ts';
import { seen } from './phases.ts';
import type { Rollout, RolloutService } from './rollout.ts';
import { type Decision, finish, nextStep, pause, stay, stepElapsed, unpause } from './transition.ts';

/** What the analysis of every service says at this moment, and the rollout with it written down. */
export interface Judged {
  rollout: Rollout;
  verdicts: { service: RolloutService; verdict: Verdict }[];
}

/** Judges each service that was compared from the start of the canary; one alpha is shared by all of them. */
export function judgeServices(
  rollout: Rollout,
  observed: Observed,
  at: { weight: number; phaseComplete: boolean },
): Judged {
  const judged = rollout.services.filter((each) => rollout.analysis[each.service] !== undefined);
  const analysis = { ...rollout.analysis };
  const verdicts = judged.map((each) => {
    const before = analysis[each.service];
    const service = seen(observed, each);
    const totals = sumEvidence(service.evidence);
    const windowStart = before?.windowStart ?? null;
    const verdict = judge({
      evidence: observed.edgeReachable || Object.keys(service.evidence.epochs).length > 0 ? totals : null,
      weight: at.weight,
      windowStart,
      limits: { errorRate: each.limits.errorRate ?? undefined, p95Ms: each.limits.p95Ms ?? undefined },
      phaseComplete: at.phaseComplete,
      canaryLost: lost(observed, each),
      services: judged.length,
    });
    analysis[each.service] = { slow: before?.slow ?? null, windowStart, evidence: service.evidence, verdict };
    return { service: each, verdict };
  });
  return { rollout: { ...rollout, analysis }, verdicts };
}

/** Why the canary has no healthy instance any more. An edge that does not answer proves nothing. */
export function lost(observed: Observed, each: RolloutService): string | null {
  const { to } = seen(observed, each);
  if (to.failure !== null) return to.failure;
  if (!observed.edgeReachable || to.wanted === 0 || to.healthy > 0) return null;
  return to.running === 0 ? 'none of its instances runs' : 'none of its instances is healthy';
}

/**
 * The canary: fails at the first proof against it, whether paused or not; moves on when the step's time is over and
 * every service passed. Without enough data nothing passes: the policy says who decides then.
 */
export function canary(rollout: Rollout, observed: Observed, now: number): Decision {
  const step = rollout.policy.canary[rollout.step];
  // All steps are behind it: only approvals can be missing.
  if (step === undefined) return waitAtGate(rollout, observed, now);
  const over = stepElapsed(rollout, now) >= step.forMs;
  const { rollout: next, verdicts } = judgeServices(rollout, observed, { weight: step.weight, phaseComplete: over });

  const failed = verdicts.find((each) => each.verdict.verdict === 'fail');
  if (failed !== undefined) return takeBack(next, failed, now);
  for (const each of rollout.services) {
    const why = lost(observed, each);
    if (why !== null) return finish(next, 'failed', now, `${each.to} was lost during its canary: ${why}`);
  }
  if (rollout.paused !== null) return stay(next, rollout.paused.detail, rollout.paused.since + rollout.policy.pauseMs);
  const at = `${step.weight} %, step ${rollout.step + 1} of ${rollout.policy.canary.length}`;
  if (!over) return stay(next, `canary at ${at}`, now + step.forMs - stepElapsed(rollout, now));

  const open = verdicts.find((each) => each.verdict.verdict !== 'pass');
  if (open !== undefined) return undecided(next, open, now);
  const numbers = Object.fromEntries(verdicts.map((each) => [each.service.service, each.verdict]));
  const following = rollout.policy.canary[rollout.step + 1];
  const said = verdicts.map((each) => `${each.service.to}: ${each.verdict.reason}`).join(' ');
  if (following === undefined)
    return gate({ ...next, step: rollout.step + 1 }, now, `passed at ${step.weight} %. ${said}`, { verdicts: numbers });
  return nextStep(next, now, `${step.weight} % -> ${following.weight} %. ${said}`, { weight: following.weight, verdicts: numbers });
}

function waitAtGate(rollout: Rollout, observed: Observed, now: number): Decision {
  const weight = rollout.policy.canary.at(-1)?.weight ?? 0;
  const { rollout: next, verdicts } = judgeServices(rollout, observed, { weight, phaseComplete: true });
  const failed = verdicts.find((each) => each.verdict.verdict === 'fail');
  if (failed !== undefined) return takeBack(next, failed, now);
  // An operator's pause at the gate holds it shut as a missing approval does.
  if (rollout.paused !== null && rollout.paused.reason !== 'approval') return stay(next, rollout.paused.detail);
  const open = rollout.approvals.length >= rollout.approvalsNeeded;
  return gate(open ? unpause(next, now) : next, now, open ? 'approved' : rollout.reason, {});
}

function takeBack(rollout: Rollout, failed: { service: RolloutService; verdict: Verdict }, now: number): Decision {
  const { service, verdict } = failed;
  return finish(rollout, 'failed', now, `${service.to}: ${verdict.reason}`, { service: service.service, verdict });
}

function undecided(rollout: Rollout, open: { service: RolloutService; verdict: Verdict }, now: number): Decision {
  const { service, verdict } = open;
  const reason = `${service.to}: ${verdict.reason}`;
  switch (rollout.policy.onInconclusive) {
    case 'pause':
      return pause(rollout, 'inconclusive', now, reason);
    case 'abort':
      return finish(rollout, 'failed', now, `${reason} The policy aborts what is inconclusive.`, { verdict });
    case 'promote': {
      // The verdict stays what it was; only the way on is the policy's.
      const on = `${reason} The policy goes on with what is inconclusive.`;
      const following = rollout.policy.canary[rollout.step + 1];
      if (following === undefined) return gate({ ...rollout, step: rollout.step + 1 }, now, on, { verdict });
      return nextStep(rollout, now, on, { weight: following.weight, verdict });
    }
  }
}
