import { activeOf, rolloutsOf } from './active.ts';
import type { Rollout } from './rollout.ts';
import { PHASES } from './rollout.ts';

/**
 * Which release of `callee` belongs to a release of `caller`: the one of the same side of a rollout that moves both, so
 * that a session sees one version of all of them, however its requests travel. Null: none, the weights decide. That is
 * so for callers outside of the rollout, and for a new release until what it would ask was verified.
 */
export function belongingTo(
  caller: { service: string; release: string },
  callee: string,
  rollouts: readonly Rollout[],
): string | null {
  const active = activeOf(rolloutsOf(callee, rollouts));
  const from = active?.services.find(({ service }) => service === caller.service);
  const to = active?.services.find(({ service }) => service === callee);
  if (active === undefined || from === undefined || to === undefined || to.from === to.to) return null;
  if (caller.release === from.to && from.from !== from.to) {
    const verified = active.verified.includes(callee) || PHASES.indexOf(active.phase) >= PHASES.indexOf('canary');
    return verified ? to.to : null;
  }
  return caller.release === from.from ? to.from : null;
}
