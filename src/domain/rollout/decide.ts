import { canary } from './canary.ts';
import { afterSetBack, overdue } from './clocks.ts';
import { contracting } from './contracting.ts';
import type { Observed } from './observed.ts';
import { building, migrating, pending, starting } from './phases.ts';
import { promoting } from './promoting.ts';
import { answer, takeBack } from './requests.ts';
import type { Rollout } from './rollout.ts';
import { settle } from './settle.ts';
import { type Decision, finish, stay } from './transition.ts';
import { verifying } from './verifying.ts';
import { watching } from './watching.ts';

/**
 * Where the rollout goes from what was seen, at wall time `now` (milliseconds). Pure: the same arguments give the same
 * answer, so a controller that died between any two steps observes again and goes on. It makes one transition at a
 * time; the engine persists it and asks again until nothing changes.
 *
 * Order matters: a person who takes it back wins over everything, then proof against the release, then what people ask
 * for, then progress, and a deadline only over waiting: what is done when a controller comes back from a long absence
 * is done, and a failure says more about itself than a clock does.
 */
export function decide(stored: Rollout, observed: Observed, now: number): Decision {
  if (stored.end !== null) return settle(stored, observed);
  const rollout = afterSetBack(stored, now);

  const takenBack = takeBack(rollout, observed, now);
  if (takenBack !== null) return takenBack;

  const decision = inPhase(rollout, observed, now);
  if (isTakenBack(decision.next)) return decision;

  const asked = answer(rollout, observed, now);
  if (asked !== null) return asked;

  if (decision.journal.length > 0) return decision;
  // Behind its window there is no way back: what takes too long there is stopped, and said.
  const late = rollout.phase === 'contracting' ? null : overdue(decision.next, now);
  return late === null ? decision : finish(decision.next, 'failed', now, `${late} (${decision.reason})`);
}

function inPhase(rollout: Rollout, observed: Observed, now: number): Decision {
  switch (rollout.phase) {
    case 'pending':
      return pending(rollout, observed, now);
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
    case 'contracting':
      return contracting(rollout, observed, now);
    case 'complete':
      return stay(rollout, rollout.reason);
  }
}

const isTakenBack = (rollout: Rollout): boolean => rollout.end !== null && rollout.end !== 'complete';
