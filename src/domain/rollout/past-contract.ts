import type { Deployment } from '../release/release.ts';
import type { Rollout } from './rollout.ts';

/** `42` of `api@42`; releases of a service are numbered in the order in which they were made. */
const numberOf = (release: string): number => Number(release.slice(release.lastIndexOf('@') + 1));

/**
 * The release whose contract took away what `release` may need, or null: what is older than that does not fit the
 * database of its service any more.
 */
export function behindContract(release: string, { contracted }: Pick<Deployment, 'contracted'>): string | null {
  return contracted !== null && numberOf(release) < numberOf(contracted) ? contracted : null;
}

/** Why a rollout must not go on to its old releases, as a sentence; null when it may. */
export function whyPastContract(rollout: Pick<Rollout, 'kind' | 'services'>, deployments: Deployment[]): string | null {
  if (rollout.kind !== 'rollback') return null;
  for (const { service, to } of rollout.services) {
    const deployment = deployments.find((each) => each.service === service);
    const by = deployment === undefined ? null : behindContract(to, deployment);
    if (by !== null) return pastContract(to, by);
  }
  return null;
}

export const pastContract = (release: string, contracted: string): string =>
  `${release} is older than ${contracted}, whose contract took away what only older releases needed`;
