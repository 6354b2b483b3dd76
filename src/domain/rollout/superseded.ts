import type { Deployment } from '../release/release.ts';
import { isNewer } from './active.ts';
import { concerns, type Rollout } from './rollout.ts';

/**
 * Whether a newer rollout has its services now. One that was over sooner than this one has settled is not open any more, but
 * what it left shows in what serves: neither what this one brought nor what it came from.
 */
export function isSuperseded(rollout: Rollout, open: readonly Rollout[], deployments: readonly Deployment[]): boolean {
  if (open.some((other) => other.id !== rollout.id && isNewerOfSameService(other, rollout))) return true;
  if (rollout.end === null) return false;
  return rollout.services.some(({ service, from, to }) => {
    const current = deployments.find((each) => each.service === service)?.current ?? null;
    return current !== null && current !== from && current !== to;
  });
}

const isNewerOfSameService = (other: Rollout, than: Rollout): boolean =>
  isNewer(other, than) && concerns(other).some((service) => concerns(than).includes(service));
