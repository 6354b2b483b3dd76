import { canary } from './canary.ts';
import { settle } from './settle.ts';
import type { Observed } from './observed.ts';
import { building, migrating, pending, promoting, starting, verifying } from './phases.ts';
import { answerRequests } from './requests.ts';
import type { JournalEntry, Rollout } from './rollout.ts';
import { type Decision, finish, phaseElapsed, stay } from './transition.ts';
import { watching } from './watching.ts';

export type NewJournalLine = Omit<JournalEntry, 'seq' | 'rollout' | 'fence'>;

/**
 * Where the rollout goes from what was seen, at wall time `now` (milliseconds). Pure: the same arguments give the same
 * answer, so a controller that died between any two steps observes again and goes on. It makes one transition at a
 * time; the engine persists it and asks again until nothing changes.
 *
 * Order matters: a person who takes it back wins over everything, then proof against the release, then deadlines,
 * then progress.
 */
export function decide(rollout: Rollout, observed: Observed, now: number): Decision {
  if (rollout.end !== null) return settle(rollout, observed);

  const asked = answerRequests(rollout, observed, now);
  if (asked !== null) return asked;

  const late = overdue(rollout, now);
  if (late !== null) return finish(rollout, 'failed', now, late);

  switch (rollout.phase) {
    case 'pending':
      return pending(rollout, now);
    case 'building':
      return building(rollout, observed, now);
    case 'starting':
      return starting(rollout, observed, now);
    case 'migrating':
      return migrating(rollout, observed, now);
    case 'verifying':
      return verifying(rollout, observed, now);
    case 'canary':
      return canary(rollout, observed, now);
    case 'promoting':
      return promoting(rollout, observed, now);
    case 'watching':
      return watching(rollout, observed, now);
    case 'complete':
      return stay(rollout, rollout.reason);
  }
}

/** The deadline that was passed, in words; null while there is time. A pause stops the phase's clock and has its own. */
function overdue(rollout: Rollout, now: number): string | null {
  if (rollout.paused !== null) {
    const since = now - rollout.paused.since;
    if (since <= rollout.policy.pauseMs || rollout.phase === 'watching') return null;
    return `paused (${rollout.paused.reason}) for longer than ${seconds(rollout.policy.pauseMs)}`;
  }
  const limit = deadlineOf(rollout);
  if (limit === null || phaseElapsed(rollout, now) <= limit) return null;
  return `${rollout.phase} took longer than its deadline of ${seconds(limit)}`;
}

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

export const seconds = (ms: number): string => `${Math.round(ms / 100) / 10} s`;
