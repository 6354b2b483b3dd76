import type { RolloutView } from '../../api/contract/rollouts.ts';
import type { ExitCode } from '../deps.ts';

/** Up to where a command waits. */
export type Until = 'promoted' | 'complete';

export interface Outcome {
  kind: 'promoted' | 'complete' | 'aborted' | 'failed' | 'rolled-back' | 'paused';
  exit: ExitCode;
}

/**
 * What a rollout came to, or null while it is still to be waited for. One that is being taken back counts once that is
 * done, not when it is decided.
 */
export function outcomeOf(rollout: RolloutView, until: Until, leaveOnPause: boolean): Outcome | null {
  const { end } = rollout;
  if (end === 'complete') return { kind: end, exit: 0 };
  if (end !== null) return rollout.settled ? { kind: end, exit: 2 } : null;
  if (rollout.promotedAt !== null && until === 'promoted') return { kind: 'promoted', exit: 0 };
  if (rollout.paused !== null && leaveOnPause) return { kind: 'paused', exit: 3 };
  return null;
}
