import type { ApiDeps } from '../api-deps.ts';
import type { Handlers } from '../call.ts';

export function doctorHandlers(deps: ApiDeps): Pick<Handlers, 'examineServer'> {
  return {
    async examineServer() {
      const databases = deps.checkDatabases();
      const edge = await deps.engine.deps.traffic.state().then(
        () => true,
        () => false,
      );
      // A store that cannot be read has been told above.
      const { reads } = deps.engine;
      const records = await reads.environments().catch(() => []);
      const environments = records.map(({ project, environment, wanted }) => ({ project, environment, wanted }));
      const storeAway = reads.awaySince() !== null;
      return { version: deps.server.version, edge, databases, environments, storeAway, unwritten: reads.unwritten() };
    },
  };
}
