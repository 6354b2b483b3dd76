import { type Observed, seen } from './observed.ts';
import type { RolloutService } from './rollout.ts';

/**
 * Why the new release answers nobody any more, or null. An edge that does not answer proves nothing, and neither does
 * one that calls the former release unhealthy too: it was just restarted, or the machine was.
 */
export function lost(observed: Observed, each: RolloutService): string | null {
  const { to, from } = seen(observed, each);
  if (to.wanted === 0 || (each.from !== null && (from?.healthy ?? 0) === 0)) return null;
  if (each.kind !== 'static' && to.running === 0) return 'none of its instances runs';
  if (each.kind === 'worker') return to.healthy > 0 ? null : 'none of its instances stays up';
  // After a reboot all start anew, and which of them is the first to answer says nothing.
  if (!observed.edgeReachable || to.healthy > 0 || to.starting) return null;
  return each.kind === 'static' ? 'its files are gone' : 'none of its instances is healthy';
}

/** Lost, while a former release that is well stands beside it: going back helps. */
export function lostBeside(observed: Observed, each: RolloutService): string | null {
  return (seen(observed, each).from?.healthy ?? 0) > 0 ? lost(observed, each) : null;
}
