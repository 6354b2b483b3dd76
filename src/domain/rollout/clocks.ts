import { formatDuration } from '../../lib/format.ts';
import type { Rollout } from './rollout.ts';

/** The clocks of a rollout: its phase's, its canary step's, and a pause's, which stops the other two. */

/** Time in the phase so far, in milliseconds, without pauses. */
export function phaseElapsed(rollout: Rollout, now: number): number {
  return Math.max(0, now - rollout.phaseSince - rollout.phasePausedMs - pausedFor(rollout, now));
}

/** Time in the canary step so far, in milliseconds, without pauses. */
export function stepElapsed(rollout: Rollout, now: number): number {
  return Math.max(0, now - rollout.stepSince - rollout.stepPausedMs - pausedFor(rollout, now));
}

const pausedFor = (rollout: Rollout, now: number): number =>
  rollout.paused === null ? 0 : Math.max(0, now - rollout.paused.since);

/** Milliseconds that the phase may take, or null when something other than a deadline ends it. */
export function deadlineOf(rollout: Rollout): number | null {
  const { deadlines } = rollout.policy;
  switch (rollout.phase) {
    case 'pending':
    case 'building':
      return deadlines.buildingMs;
    case 'starting':
      return deadlines.startingMs;
    case 'migrating':
    // The same kind of work, on the same database.
    case 'contracting':
      return deadlines.migratingMs;
    case 'verifying':
      return deadlines.verifyingMs;
    case 'promoting':
      return deadlines.promotingMs;
    case 'canary':
    case 'watching':
    case 'complete':
      return null;
  }
}

/** Wall time at which the phase's deadline, or while it is paused the pause's, is passed; null where there is none. */
export function deadlineAt(rollout: Rollout, now: number): number | null {
  if (rollout.paused !== null) return rollout.paused.since + rollout.policy.pauseMs;
  const limit = deadlineOf(rollout);
  return limit === null ? null : now + limit - phaseElapsed(rollout, now);
}

/** The deadline that was passed, in words; null while there is time. */
export function overdue(rollout: Rollout, now: number): string | null {
  const at = deadlineAt(rollout, now);
  if (at === null || now < at) return null;
  if (rollout.paused !== null)
    return `paused (${rollout.paused.reason}) for longer than ${formatDuration(rollout.policy.pauseMs)}: ${rollout.paused.detail}`;
  return `${rollout.phase} took longer than its deadline of ${formatDuration(deadlineOf(rollout) ?? 0)}`;
}

/**
 * The rollout with no clock that lies in the future. A wall clock that was set back would otherwise hold it for as long
 * as it was set back by, be it a day; so what was counted before is forgotten, and the clock begins anew.
 */
export function afterSetBack(rollout: Rollout, now: number): Rollout {
  const { phaseSince, stepSince } = rollout;
  const paused =
    rollout.paused !== null && rollout.paused.since > now ? { ...rollout.paused, since: now } : rollout.paused;
  const current = paused === null ? 0 : now - paused.since;
  const next = {
    ...rollout,
    paused,
    phaseSince: Math.min(phaseSince, now),
    stepSince: Math.min(stepSince, now),
    phasePausedMs: Math.min(rollout.phasePausedMs, Math.max(0, now - phaseSince - current)),
    stepPausedMs: Math.min(rollout.stepPausedMs, Math.max(0, now - stepSince - current)),
  };
  const same =
    next.paused === rollout.paused &&
    next.phaseSince === phaseSince &&
    next.stepSince === stepSince &&
    next.phasePausedMs === rollout.phasePausedMs &&
    next.stepPausedMs === rollout.stepPausedMs;
  return same ? rollout : next;
}
