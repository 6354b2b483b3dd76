import type { Deployment, Release } from '../../domain/release/release.ts';
import { behindContract } from '../../domain/rollout/past-contract.ts';
import type { ApiDeps } from '../api-deps.ts';
import type { ReleaseView } from '../contract/releases.ts';

/** One release as it stands now. */
export async function releaseView(
  deps: ApiDeps,
  each: Release,
  deployments: readonly Deployment[],
): Promise<ReleaseView> {
  const { builder } = deps.engine.deps;
  const deployment = deployments.find((known) => known.service === each.service);
  const kept = each.artifact !== null && (await builder.has(each.artifact));
  return {
    release: each.id,
    service: each.service,
    environment: each.environment,
    label: each.source.label,
    commit: each.source.commit,
    dirty: each.source.dirty,
    artifact: each.artifact,
    configDigest: each.configDigest,
    createdBy: each.createdBy,
    createdAt: each.createdAt,
    behindContract: deployment === undefined ? null : behindContract(each.id, deployment),
    state:
      deployment?.current === each.id ? 'current' : deployment?.former === each.id ? 'former' : kept ? 'kept' : 'gone',
  };
}
