import { formatDuration } from '../../lib/format.ts';
import { phaseElapsed } from './clocks.ts';
import { lostBeside } from './lost.ts';
import { type Observed, seen } from './observed.ts';
import type { Rollout, RolloutService } from './rollout.ts';
import { type Decision, enter, finish, wait } from './transition.ts';

/**
 * The switch. It counts as made once the edge has the weights and a request that went through it was answered by the
 * new release; until then nothing is called a success.
 */
export function promoting(rollout: Rollout, observed: Observed, now: number): Decision {
  for (const each of rollout.services) {
    const { failure } = seen(observed, each).to;
    if (failure !== null) return finish(rollout, 'failed', now, `${each.to} failed while it was promoted: ${failure}`);
    const why = lostBeside(observed, each);
    if (why !== null) return finish(rollout, 'failed', now, `${each.to} was lost while it was promoted: ${why}`);
  }
  const waits = rollout.services.flatMap((each) => missing(rollout, observed, each) ?? []);
  if (waits.length > 0) return wait(rollout, now, `promoting: waiting for ${waits.join('; ')}`);
  const routed = rollout.services.filter((each) => each.kind !== 'worker').map((each) => each.to);
  const who = routed.length === 0 ? 'the new release runs' : `${routed.join(', ')} answered through the edge`;
  const window = formatDuration(rollout.policy.rollbackWindowMs);
  return enter(rollout, 'watching', now, `${who}; rollback window ${window}`, {
    switchMs: phaseElapsed(rollout, now),
  });
}

/** What the switch of one service still waits for; null when it is made. */
function missing(rollout: Rollout, observed: Observed, each: RolloutService): string | null {
  const { to, answered } = seen(observed, each);
  if (to.healthy < 1) return `a healthy instance of ${each.to}`;
  if (each.kind === 'worker') return null;
  if (!observed.edgeReachable || (to.weight ?? 0) < 100 - rollout.policy.holdback) return `${each.to} at the edge`;
  // An answer from before the switch says nothing about it.
  const fresh = answered !== null && answered.release === each.to && answered.at >= rollout.phaseSince;
  return fresh ? null : `an answer of ${each.to} through the edge`;
}
