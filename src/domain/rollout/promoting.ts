import { formatDuration } from '../../lib/format.ts';
import { phaseElapsed } from './clocks.ts';
import { heldFigures, heldInWords } from './giving-way.ts';
import { lostBeside } from './lost.ts';
import { type Observed, seen } from './observed.ts';
import type { Rollout, RolloutService } from './rollout.ts';
import { type Decision, enter, finish, wait } from './transition.ts';
import { whereAnswered, whoRoutes } from './where.ts';

/**
 * The switch. It counts as made once the edge has the weights and a request that went through it was answered by the
 * new release; until then nothing is called a success.
 */
export function promoting(rollout: Rollout, observed: Observed, now: number): Decision {
  if (observed.refusal !== null)
    return finish(rollout, 'failed', now, `${whoRoutes(rollout)} refused the switch: ${observed.refusal}`);
  for (const each of rollout.services) {
    const { failure } = seen(observed, each).to;
    if (failure !== null) return finish(rollout, 'failed', now, `${each.to} failed while it was promoted: ${failure}`);
    const why = lostBeside(observed, each);
    if (why !== null) return finish(rollout, 'failed', now, `${each.to} was lost while it was promoted: ${why}`);
  }
  const waits = [...rollout.services.flatMap((each) => missing(rollout, observed, each) ?? []), ...observed.unswitched];
  if (waits.length > 0) return wait(rollout, now, `promoting: waiting for ${waits.join('; ')}`);
  const window = formatDuration(rollout.policy.rollbackWindowMs);
  const held = heldFigures(rollout, observed, now);
  const parts = [whatIsSo(rollout), ...heldInWords(held), `rollback window ${window}`];
  return enter(rollout, 'watching', now, parts.join('; '), {
    switchMs: phaseElapsed(rollout, now),
    ...(Object.keys(held).length === 0 ? {} : { held }),
  });
}

function whatIsSo(rollout: Rollout): string {
  const { services, removes, opens } = rollout;
  const routed = services.filter((each) => each.kind !== 'worker').map((each) => each.to);
  const parts = [
    routed.length > 0 ? `${routed.join(', ')} answered ${whereAnswered(rollout)}` : null,
    routed.length === 0 && services.length > 0 ? 'the new release runs' : null,
    removes.length > 0 ? `${removes.map((each) => each.service).join(', ')} taken down` : null,
    opens === null ? null : `the public port is ${opens.to.port}`,
  ];
  return parts.filter((part) => part !== null).join('; ');
}

/** What the switch of one service still waits for; null when it is made. */
function missing(rollout: Rollout, observed: Observed, each: RolloutService): string | null {
  const { to, answered, unanswered } = seen(observed, each);
  if (to.healthy < 1) return `a healthy instance of ${each.to}`;
  if (each.kind === 'worker') return null;
  if (!observed.edgeReachable || (to.weight ?? 0) < 100 - rollout.policy.holdback)
    return `${each.to} ${each.away === true ? 'in the cloud' : 'at the edge'}`;
  // An answer from before the switch says nothing about it.
  const fresh = answered !== null && answered.release === each.to && answered.at >= rollout.phaseSince;
  if (fresh) return null;
  const instead = unanswered === undefined || unanswered === null ? '' : `; the last time: ${unanswered}`;
  return `an answer of ${each.to} ${whereAnswered(rollout)}${instead}`;
}
