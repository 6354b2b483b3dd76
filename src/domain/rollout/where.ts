import type { Rollout } from './rollout.ts';

/** All of its services run in the same place. */
const isAway = ({ services }: Pick<Rollout, 'services'>): boolean => services.some(({ away }) => away === true);

/** Who carries the traffic, in the words of a reason. */
export const whoRoutes = (rollout: Pick<Rollout, 'services'>): string => (isAway(rollout) ? 'the cloud' : 'the edge');

/** Where a new release has to answer before anything is called a success. */
export const whereAnswered = (rollout: Pick<Rollout, 'services'>): string => {
  if (!isAway(rollout)) return 'through the edge';
  return rollout.services.length === 1 ? 'at its own address' : 'at their own addresses';
};

/** What a canary has a share of: a session stays where it is at our edge, and nothing does that in the cloud. */
export const sharedOut = (rollout: Pick<Rollout, 'services'>): 'requests' | 'sessions' =>
  isAway(rollout) ? 'requests' : 'sessions';
