import { sumEvidence } from '../analysis/evidence-store.ts';
import { judgeServices, lost } from './canary.ts';
import { seconds } from './decide.ts';
import type { Observed } from './observed.ts';
import { seen } from './phases.ts';
import type { Rollout } from './rollout.ts';
import { type Decision, enter, finish, phaseElapsed, stay } from './transition.ts';

/**
 * The rollback window: the former release is hot, and the new one is still judged, against its limits alone (or
 * against the holdback). Proof against it takes it back, as a person would.
 */
export function watching(rollout: Rollout, observed: Observed, now: number): Decision {
  const window = rollout.policy.rollbackWindowMs;
  const over = phaseElapsed(rollout, now) >= window;
  const opened = openWindow(rollout, observed);
  const { rollout: next, verdicts } = judgeServices(opened, observed, {
    weight: 100 - rollout.policy.holdback,
    phaseComplete: over,
  });
  if (rollout.services.some((each) => each.from !== null)) {
    const failed = verdicts.find((each) => each.verdict.verdict === 'fail');
    if (failed !== undefined) {
      const reason = `${failed.service.to}: ${failed.verdict.reason}`;
      return finish(next, 'rolled-back', now, reason, { service: failed.service.service, verdict: failed.verdict });
    }
    // Nobody is served by a release without a healthy instance, and a healthy one stands beside it.
    for (const each of rollout.services) {
      const why = lost(observed, each);
      if (why !== null && (seen(observed, each).from?.healthy ?? 0) > 0)
        return finish(next, 'rolled-back', now, `${each.to} was lost in its rollback window: ${why}`);
    }
  }
  if (observed.superseded) return enter(next, 'complete', now, 'superseded by a newer rollout');
  if (over) {
    const judged = verdicts.map((each) => `${each.service.to}: ${each.verdict.reason}`).join(' ');
    const reason = `the rollback window of ${seconds(window)} is over${judged === '' ? '' : `. ${judged}`}`;
    return enter(next, 'complete', now, reason, { verdicts: verdicts.map((each) => each.verdict) });
  }
  return stay(next, `watching for ${seconds(window)}`, now + window - phaseElapsed(rollout, now));
}

/** The window's test begins with what is seen after the switch. */
function openWindow(rollout: Rollout, observed: Observed): Rollout {
  const analysis = { ...rollout.analysis };
  for (const [name, each] of Object.entries(analysis)) {
    const evidence = observed.services[name]?.evidence;
    if (each.windowStart === null && evidence !== undefined) analysis[name] = { ...each, windowStart: sumEvidence(evidence) };
  }
  return { ...rollout, analysis };
}
