import type { ApiDeps } from '../api-deps.ts';
import type { Handlers } from '../call.ts';
import { environmentStatus } from '../views/environment-status.ts';

export function statusHandlers(deps: ApiDeps): Pick<Handlers, 'getStatus'> {
  return {
    async getStatus(wanted, call) {
      const { reads } = deps.engine;
      const records = (await reads.environments()).filter(
        (each) =>
          (wanted.project === undefined || each.project === wanted.project) &&
          (wanted.environment === undefined || each.environment === wanted.environment) &&
          call.may('environment:read', each),
      );
      const environments = await Promise.all(records.map((record) => environmentStatus(deps, record)));
      const { version, pid, startedAt } = deps.server;
      const since = reads.awaySince();
      return {
        server: {
          version,
          pid,
          startedAt,
          edge: environments.every((each) => each.edge),
          standing: await deps.standing(),
          ...(since === null ? {} : { storeAwaySince: since }),
          ...(reads.unwritten() === 0 ? {} : { unwritten: reads.unwritten() }),
        },
        environments: environments.map((each) => each.status),
      };
    },
  };
}
