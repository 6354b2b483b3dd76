import { formatDuration } from '../../lib/format.ts';
import type { Verdict } from '../analysis/verdict.ts';
import { stepElapsed } from './clocks.ts';
import { gate } from './gate.ts';
import { judgeServices, type Judged, openWindow } from './judging.ts';
import { awaitsCounts } from './late-counts.ts';
import { lost } from './lost.ts';
import { type Observed, seen } from './observed.ts';
import type { Rollout, RolloutService } from './rollout.ts';
import { type Decision, finish, hold, nextStep, pause, stay } from './transition.ts';

/** Between two looks at counts that come late. */
const LATE_LOOK_MS = 5_000;

/**
 * The canary: fails at the first proof against it, whether paused or not; moves on when the step's time is over and
 * every service passed. Without enough data nothing passes: the policy says who decides then.
 */
export function canary(rollout: Rollout, observed: Observed, now: number): Decision {
  const step = rollout.policy.canary[rollout.step];
  // All steps are behind it: only approvals can be missing.
  if (step === undefined) return waitAtGate(rollout, observed, now);
  const beyond = stepElapsed(rollout, now) - step.forMs;
  const late = beyond >= 0 && awaitsCounts(rollout, observed, now - beyond, now);
  const over = beyond >= 0 && !late;
  const judged = judgeAt(rollout, observed, { weight: step.weight, phaseComplete: over });
  const disproved = disproof(judged, observed, now);
  if (disproved !== null) return disproved;

  const { rollout: next, verdicts } = judged;
  if (next.paused !== null) return hold(next, now);
  const at = `${step.weight} %, step ${rollout.step + 1} of ${rollout.policy.canary.length}`;
  if (late) return stay(next, `canary at ${at}, over; waiting for the last of its counts`, now + LATE_LOOK_MS);
  if (!over) {
    const left = step.forMs - stepElapsed(rollout, now);
    return stay(next, `canary at ${at}, for ${formatDuration(step.forMs)}`, now + left);
  }
  const open = verdicts.find((each) => each.verdict.verdict !== 'pass');
  if (open !== undefined) return undecided(next, open, now);
  const numbers = Object.fromEntries(verdicts.map((each) => [each.service.service, each.verdict]));
  const said = verdicts.map((each) => `${each.service.to}: ${each.verdict.reason}`).join(' ');
  const following = rollout.policy.canary[rollout.step + 1];
  if (following === undefined)
    return gate(pastSteps(next), now, `passed at ${step.weight} %. ${said}`, { verdicts: numbers });
  const detail = { weight: following.weight, verdicts: numbers };
  return nextStep(next, now, `${step.weight} % -> ${following.weight} %. ${said}`, detail);
}

/** A step of 100 % has no baseline beside it: it is judged as the window is. */
function judgeAt(rollout: Rollout, observed: Observed, at: { weight: number; phaseComplete: boolean }): Judged {
  return judgeServices(at.weight >= 100 ? openWindow(rollout, observed) : rollout, observed, at, lost);
}

/** Analysis goes on while people make up their minds, and an operator's pause holds the gate as they do. */
function waitAtGate(rollout: Rollout, observed: Observed, now: number): Decision {
  const weight = rollout.policy.canary.at(-1)?.weight ?? 0;
  const judged = judgeAt(rollout, observed, { weight, phaseComplete: true });
  const disproved = disproof(judged, observed, now);
  if (disproved !== null) return disproved;
  const { rollout: next } = judged;
  if (next.paused !== null && next.paused.reason !== 'approval') return hold(next, now);
  // Who approved is told already, where it was done.
  const given =
    next.approvalsNeeded === 1 ? 'the approval that was needed is there' : 'all approvals that were needed are there';
  return gate(next, now, next.approvalsNeeded > 0 ? given : rollout.reason, {});
}

/** What takes the canary back, as the decision that does; null while nothing speaks against it. */
function disproof(judged: Judged, observed: Observed, now: number): Decision | null {
  const { rollout, verdicts } = judged;
  for (const each of rollout.services) {
    const { failure } = seen(observed, each).to;
    if (failure !== null) return finish(rollout, 'failed', now, `${each.to} failed during its canary: ${failure}`);
  }
  const failed = verdicts.find((each) => each.verdict.verdict === 'fail');
  if (failed !== undefined) {
    const { service, verdict } = failed;
    return finish(rollout, 'failed', now, `${service.to}: ${verdict.reason}`, { service: service.service, verdict });
  }
  for (const each of rollout.services) {
    const why = lost(observed, each);
    if (why !== null) return finish(rollout, 'failed', now, `${each.to} was lost during its canary: ${why}`);
  }
  return null;
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
      if (following === undefined) return gate(pastSteps(rollout), now, on, { verdict });
      return nextStep(rollout, now, on, { weight: following.weight, verdict });
    }
  }
}

/** The weight stays the last step's; what is left is the gate. An operator's `promote` skips to here. */
export function pastSteps(rollout: Rollout): Rollout {
  return { ...rollout, step: rollout.policy.canary.length };
}
