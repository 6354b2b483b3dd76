import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { behindContract } from '../../domain/rollout/past-contract.ts';
import type { ApiDeps } from '../api-deps.ts';
import type { ReleaseView } from '../contract/release.ts';

const querySchema = z.object({
  project: z.string(),
  environment: z.string(),
  service: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(50),
});

export function releaseRoutes(api: FastifyInstance, deps: ApiDeps): void {
  api.get('/v1/releases', async (request): Promise<{ releases: ReleaseView[] }> => {
    const { service, ...query } = querySchema.parse(request.query);
    const { store, builder } = deps.engine.deps;
    const releases = await store.releases({ ...query, ...(service === undefined ? {} : { service }) });
    const deployments = await store.deployments(query.project, query.environment);
    return {
      releases: await Promise.all(
        releases.map(async (each): Promise<ReleaseView> => {
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
              deployment?.current === each.id
                ? 'current'
                : deployment?.former === each.id
                  ? 'former'
                  : kept
                    ? 'kept'
                    : 'gone',
          };
        }),
      ),
    };
  });
}
