import { formatDuration } from '../../lib/format.ts';
import { phaseElapsed } from './clocks.ts';
import { staysHot } from './desired.ts';
import { judgeServices, openWindow } from './judging.ts';
import { leftUndone } from './contracting.ts';
import { awaitsCounts } from './late-counts.ts';
import { lostBeside } from './lost.ts';
import { type Observed, seen } from './observed.ts';
import type { Rollout, RolloutService } from './rollout.ts';
import { type Decision, enter, finish, stay } from './transition.ts';

/** Between two looks at counts that come late. */
const LATE_LOOK_MS = 5_000;

/**
 * The rollback window: the former release is hot, and the new one is still judged, against its limits alone (or
 * against the holdback). Proof against it takes it back, as a person would.
 */
export function watching(rollout: Rollout, observed: Observed, now: number): Decision {
  // The newer rollout builds upon this release: going back behind it now would pull the ground from under it.
  if (observed.superseded)
    return enter(rollout, 'complete', now, `superseded by a newer rollout${leftUndone(rollout)}`);
  const window = rollout.policy.rollbackWindowMs;
  const beyond = phaseElapsed(rollout, now) - window;
  const late = beyond >= 0 && awaitsCounts(rollout, observed, now - beyond, now);
  const over = beyond >= 0 && !late;
  const { rollout: next, verdicts } = judgeServices(
    openWindow(rollout, observed),
    observed,
    { weight: 100 - rollout.policy.holdback, phaseComplete: over },
    lostBeside,
  );
  for (const each of rollout.services) {
    const why = broken(observed, each);
    if (why !== null) return finish(next, 'rolled-back', now, `${each.to} failed in its rollback window: ${why}`);
  }
  const failed = verdicts.find((each) => each.verdict.verdict === 'fail');
  if (failed !== undefined) {
    const { service, verdict } = failed;
    return finish(next, 'rolled-back', now, `${service.to}: ${verdict.reason}`, { service: service.service, verdict });
  }
  for (const each of rollout.services) {
    const why = lostBeside(observed, each);
    if (why !== null) return finish(next, 'rolled-back', now, `${each.to} was lost in its rollback window: ${why}`);
  }
  if (late) return stay(next, 'the rollback window is over; waiting for the last of its counts', now + LATE_LOOK_MS);
  if (!over) return stay(next, `watching for ${formatDuration(window)}`, now + window - phaseElapsed(rollout, now));
  const judged = verdicts.map((each) => ` ${each.service.to}: ${each.verdict.reason}`).join('');
  const numbers = Object.fromEntries(verdicts.map((each) => [each.service.service, each.verdict]));
  const following = next.services.some((each) => each.contracts) ? 'contracting' : 'complete';
  return enter(next, following, now, `the rollback window of ${formatDuration(window)} is over.${judged}`, {
    verdicts: numbers,
  });
}

/**
 * It crashes over and over, or could not be started, and there is something better to go back to: a former release that
 * is well, or one that is not kept running but can be started, as of a worker.
 */
function broken(observed: Observed, each: RolloutService): string | null {
  const { to, from } = seen(observed, each);
  if (each.from === null) return null;
  return !staysHot(each) || (from?.healthy ?? 0) > 0 ? to.failure : null;
}
