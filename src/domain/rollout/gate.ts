import type { Rollout } from './rollout.ts';
import { type Decision, enter, pause, stay } from './transition.ts';

/** The way to 100 %: open at once, or once enough people have approved. Analysis goes on while it waits. */
export function gate(rollout: Rollout, now: number, reason: string, detail: Record<string, unknown>): Decision {
  const missing = rollout.approvalsNeeded - rollout.approvals.length;
  if (missing <= 0) return enter(rollout, 'promoting', now, reason, detail);
  if (rollout.paused?.reason === 'approval') return stay(rollout, rollout.paused.detail);
  const people = missing === 1 ? 'approval is' : `${missing} approvals are`;
  return pause(rollout, 'approval', now, `${reason}; ${people} needed before it is promoted`);
}
