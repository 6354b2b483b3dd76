import type { ApiDeps } from '../api-deps.ts';
import type { Handlers } from '../call.ts';
import { releaseDetail } from '../views/release-detail.ts';
import { releaseView } from '../views/release-view.ts';
import { pageOf } from './page.ts';

export function releaseHandlers(deps: ApiDeps): Pick<Handlers, 'listReleases' | 'getRelease'> {
  const { store } = deps.engine.deps;
  return {
    async listReleases({ limit, service, before, ...scope }) {
      const found = await store.releases({
        ...scope,
        limit: limit + 1,
        ...(service === undefined ? {} : { service }),
        ...(before === undefined ? {} : { before }),
      });
      const { page, next } = pageOf(found, limit, ({ id }) => id);
      const deployments = await store.deployments(scope.project, scope.environment);
      const views = page.map((each) => releaseView(deps, each, deployments));
      return { releases: await Promise.all(views), next };
    },

    getRelease: (asked) => releaseDetail(deps, asked),
  };
}
