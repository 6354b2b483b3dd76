import type { Scope } from '../../domain/project/scope.ts';
import type { Deployment } from '../../domain/release/release.ts';
import type { Rollout } from '../../domain/rollout/rollout.ts';
import type { Reads } from '../../engine/emergency/reads.ts';

/** How far back what brought a release is looked for. */
const ROLLOUTS = 100;

export interface LastDeploy {
  at: number;
  by: string;
  kind: 'deploy' | 'rollback';
  rollout: string;
}

/** What brought the releases that serve. Asked of the store only when something else serves than when it was asked last. */
export class LastDeploys {
  readonly #known = new Map<string, { serving: string; found: ReadonlyMap<string, LastDeploy> }>();

  /** By service; a service without an entry was brought longer ago than is looked back. */
  async of(
    scope: Scope,
    deployments: readonly Deployment[],
    reads: Pick<Reads, 'rollouts'>,
  ): Promise<ReadonlyMap<string, LastDeploy>> {
    const key = `${scope.project}/${scope.environment}`;
    const serving = JSON.stringify(deployments.map(({ service, current }) => [service, current]));
    const known = this.#known.get(key);
    if (known?.serving === serving) return known.found;
    const { project, environment } = scope;
    const rollouts = await reads.rollouts({ project, environment, limit: ROLLOUTS });
    const found = new Map<string, LastDeploy>();
    for (const { service, current } of deployments) {
      const deploy = current === null ? undefined : bringerOf(rollouts, service, current);
      if (deploy !== undefined) found.set(service, deploy);
    }
    this.#known.set(key, { serving, found });
    return found;
  }
}

/** The newest that was promoted with it and not taken back. */
function bringerOf(rollouts: readonly Rollout[], service: string, release: string): LastDeploy | undefined {
  for (const { id, kind, services, promotedAt, end, requestedBy } of rollouts) {
    if (promotedAt === null || end === 'rolled-back') continue;
    if (services.some((each) => each.service === service && each.to === release))
      return { at: promotedAt, by: requestedBy, kind, rollout: id };
  }
  return undefined;
}
