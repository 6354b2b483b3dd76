import type { Rollout } from './rollout.ts';
import { type Decision, enter, hold, pause, unpause } from './transition.ts';

/** The way to 100 %: open at once, or once enough people have approved. */
export function gate(rollout: Rollout, now: number, reason: string, detail: Record<string, unknown>): Decision {
  const missing = missingApprovals(rollout);
  if (missing === null) return enter(unpause(rollout, now), 'promoting', now, reason, detail);
  if (rollout.paused?.reason === 'approval') return hold(rollout, now);
  return pause(rollout, 'approval', now, `${reason.replace(/\.$/, '')}; ${missing}`);
}

/** What the gate still waits for, in words; null when it is open. */
export function missingApprovals(rollout: Rollout): string | null {
  const missing = rollout.approvalsNeeded - rollout.approvals.length;
  if (missing <= 0) return null;
  return `${missing} ${missing === 1 ? 'approval is' : 'approvals are'} needed before it is promoted`;
}
