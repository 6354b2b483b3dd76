import type { FastifyInstance } from 'fastify';
import type { ApiDeps } from '../api-deps.ts';
import { type ServerInfo, serverStopSchema } from '../contract/server.ts';
import { down } from '../../engine/operations/down.ts';

export function serverRoutes(api: FastifyInstance, deps: ApiDeps): void {
  api.get('/v1/server', async (): Promise<ServerInfo> => {
    const state = await deps.engine.deps.traffic.state().catch(() => null);
    const workers = state?.workers === undefined ? {} : { edgeWorkers: state.workers.length };
    return { ...deps.server, edge: state !== null, ...workers, standing: await deps.standing() };
  });

  api.post('/v1/server/stop', async (request, reply) => {
    const { instances } = serverStopSchema.parse(request.body);
    if (instances)
      for (const each of await deps.engine.deps.store.environments())
        if (each.wanted === 'up') await down(deps.engine, { ...each, by: 'server stop' });
    reply.raw.once('finish', () => deps.stopServer());
    return {};
  });

  api.post('/v1/server/restart-edge', async () => deps.restartEdge());
}
