import { configChanges } from '../../domain/release/config-changes.ts';
import type { Release } from '../../domain/release/release.ts';
import { changedSecrets, versionsIn } from '../../domain/release/secret-versions.ts';
import type { Rollout } from '../../domain/rollout/rollout.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import type { ApiDeps } from '../api-deps.ts';
import type { ReleaseDetail } from '../contract/releases.ts';
import { releaseView } from './release-view.ts';

/** How far back the rollouts of a service are looked at for those of a release. */
const ROLLOUTS = 100;

interface Asked {
  project: string;
  environment: string;
  release: string;
  against?: string | undefined;
}

/** Throws EvenkeelError `release-unknown`, also for a release of another environment. */
export async function releaseDetail(deps: ApiDeps, asked: Asked): Promise<ReleaseDetail> {
  const { store } = deps.engine.deps;
  const { project, environment } = asked;
  const release = await findRelease(deps, asked, asked.release);
  const { service } = release;
  const [deployments, all] = await Promise.all([
    store.deployments(project, environment),
    store.rollouts({ project, environment, service, limit: ROLLOUTS }),
  ]);
  const rollouts = all.filter((each) => each.services.some(({ to }) => to === release.id));
  const against =
    asked.against === undefined
      ? await formerOf(deps, release, rollouts)
      : await findRelease(deps, asked, asked.against, service);
  return {
    ...(await releaseView(deps, release, deployments)),
    against:
      against === null
        ? null
        : {
            release: against.id,
            label: against.source.label,
            commit: against.source.commit,
            artifact: against.artifact,
            configDigest: against.configDigest,
          },
    sameArtifact: against !== null && against.artifact !== null && against.artifact === release.artifact,
    config: against === null ? { added: [], removed: [], changed: [] } : configChanges(against.config, release.config),
    secrets: against === null ? [] : changedSecrets(against.config.env, versionsIn(release.config.env)),
    rollouts: rollouts.map(({ id, kind, requestedBy, createdAt, promotedAt, end }) => ({
      id,
      kind,
      by: requestedBy,
      at: createdAt,
      promotedAt,
      end,
    })),
  };
}

async function findRelease(deps: ApiDeps, scope: Asked, id: string, service?: string): Promise<Release> {
  const found = await deps.engine.deps.store.release(scope.project, id);
  if (found !== null && found.environment === scope.environment && (service ?? found.service) === found.service)
    return found;
  throw new EvenkeelError({
    code: 'release-unknown',
    what: `there is no release ${id}${service === undefined ? '' : ` of ${service}`} in ${scope.environment} of ${scope.project}`,
    next: `evenkeel releases --env ${scope.environment}`,
  });
}

/** What served when it was first rolled out; before it ever was, the release before it. */
async function formerOf(deps: ApiDeps, release: Release, rollouts: readonly Rollout[]): Promise<Release | null> {
  const { store } = deps.engine.deps;
  const { project, environment, service, id } = release;
  const first = rollouts.at(-1)?.services.find(({ to }) => to === id);
  if (first !== undefined) return first.from === null ? null : store.release(project, first.from);
  const [before = null] = await store.releases({ project, environment, service, before: id, limit: 1 });
  return before;
}
