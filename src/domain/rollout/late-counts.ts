import { countedUntil } from '../analysis/evidence-store.ts';
import { type Observed, seen } from './observed.ts';
import type { Rollout } from './rollout.ts';

/** Counts that come later than this are not waited for any more: what is known then decides. */
const PATIENCE_MS = 600_000;

/**
 * Whether the time up to `until` (wall time, ms) has passed, and what happened in it is still being counted by somebody
 * else: a step that ended before its last minutes were looked at would have been shorter than it says.
 */
export function awaitsCounts(rollout: Rollout, observed: Observed, until: number, now: number): boolean {
  if (now >= until + PATIENCE_MS) return false;
  return rollout.services.some((each) => {
    if (rollout.analysis[each.service] === undefined) return false;
    const counted = countedUntil(seen(observed, each).evidence);
    return counted !== null && counted < until;
  });
}
