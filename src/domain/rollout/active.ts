import type { Rollout } from './rollout.ts';

/** All traffic is on its new releases, and a newer rollout may begin beside it. */
export const isPromoted = ({ phase }: Pick<Rollout, 'phase'>): boolean =>
  phase === 'watching' || phase === 'contracting';

/** Of two that began in the same millisecond the one with the higher id counts as the newer. */
export const isNewer = (rollout: Rollout, than: Rollout): boolean =>
  rollout.createdAt > than.createdAt || (rollout.createdAt === than.createdAt && rollout.id > than.id);

/** The rollouts that move a service, newest first. */
export const rolloutsOf = (service: string, rollouts: readonly Rollout[]): Rollout[] =>
  rollouts
    .filter((rollout) => rollout.services.some((each) => each.service === service))
    .toSorted((a, b) => (isNewer(a, b) ? -1 : 1));

/**
 * The one of them that says what a service ought to be, if any is open. One that was promoted gives way to the one that
 * supersedes it, whatever the clock said when either began.
 */
export function activeOf(newestFirst: readonly Rollout[]): Rollout | undefined {
  const open = newestFirst.filter((rollout) => rollout.end === null);
  return open.find((rollout) => !isPromoted(rollout)) ?? open[0];
}
