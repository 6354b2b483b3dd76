import { isAbsence } from '../../engine/emergency/reads.ts';
import { down } from '../../engine/operations/down.ts';
import type { ApiDeps } from '../api-deps.ts';
import type { Handlers } from '../call.ts';
import type { ServerInfo } from '../contract/server.ts';

export function serverHandlers(deps: ApiDeps): Pick<Handlers, 'getServer' | 'stopServer' | 'restartEdge'> {
  return {
    async getServer() {
      const state = await deps.engine.deps.traffic.state().catch(() => null);
      const workers = state?.workers === undefined ? {} : { edgeWorkers: state.workers.length };
      const [standing, dashboard] = await Promise.all([deps.standing(), dashboardOf(deps)]);
      return { ...deps.server, edge: state !== null, ...workers, standing, ...dashboard };
    },

    async stopServer({ instances }, { afterReply, who }) {
      if (instances)
        for (const each of await deps.engine.deps.store.environments())
          if (each.wanted === 'up') await down(deps.engine, { ...each, by: who.name });
      afterReply(() => deps.stopServer());
      return {};
    },

    restartEdge: () => deps.restartEdge(),
  };
}

/** Nothing is known of people while the store is away. */
async function dashboardOf(deps: ApiDeps): Promise<Pick<ServerInfo, 'dashboard'>> {
  try {
    const { store } = await deps.access();
    return { dashboard: { url: await deps.webAddress(), first: !(await store.hasAnybodySignedIn()) } };
  } catch (error) {
    if (isAbsence(error)) return {};
    throw error;
  }
}
