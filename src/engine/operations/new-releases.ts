import type { ServiceConfig } from '../../domain/project/project.ts';
import type { Deployment, Release, SourceInfo } from '../../domain/release/release.ts';
import {
  changedSecrets,
  secretsIn,
  type SecretVersions,
  versionsIn,
  withoutVersions,
  withVersions,
} from '../../domain/release/secret-versions.ts';
import type { Change } from '../../domain/rollout/begin.ts';
import type { EngineDeps } from '../deps.ts';

/** The release that a service serves now, or null. */
export const currentOf = (serving: Deployment[], service: string): string | null =>
  serving.find((each) => each.service === service)?.current ?? null;

/** Whether a release of this configuration, or what serves, must not run beside another copy of the service. */
export async function mustRunAlone(
  deps: Pick<EngineDeps, 'store'>,
  project: string,
  config: ServiceConfig,
  from: string | null,
): Promise<boolean> {
  if (config.overlap === false) return true;
  return from !== null && (await deps.store.release(project, from))?.config.overlap === false;
}

/** What a rollout of new releases changes, beside what serves now. */
export const changesTo = (
  deps: Pick<EngineDeps, 'store'>,
  releases: readonly Release[],
  serving: Deployment[],
): Promise<Change[]> =>
  Promise.all(
    releases.map(async ({ id, project, service, config }) => {
      const from = currentOf(serving, service);
      return { config, from, to: id, old: false, alone: await mustRunAlone(deps, project, config, from) };
    }),
  );

/** Of what the file says: which value a secret has is compared for itself. */
export const configDigest = (deps: Pick<EngineDeps, 'digest'>, config: ServiceConfig): string =>
  deps.digest(JSON.stringify(withoutVersions(config)));

/** Of today's values. */
export async function secretVersions(
  deps: Pick<EngineDeps, 'secrets'>,
  scope: { project: string; environment: string },
): Promise<SecretVersions> {
  return Object.fromEntries((await deps.secrets.list(scope)).map(({ name, version }) => [name, version]));
}

/**
 * Numbers, and records of releases that are to be built; in the order of `configs`. They belong to today's secrets.
 */
export async function newReleases(
  deps: EngineDeps,
  scope: { project: string; environment: string },
  configs: ServiceConfig[],
  source: SourceInfo,
  by: string,
): Promise<Release[]> {
  const numbers = await deps.store.reserveReleaseNumbers(
    scope.project,
    configs.map((each) => each.name),
  );
  const secrets = configs.some(({ env }) => secretsIn(env).length > 0) ? await secretVersions(deps, scope) : {};
  const releases = configs.map((config): Release => {
    const number = numbers[config.name] ?? 0;
    return {
      id: `${config.name}@${number}`,
      ...scope,
      service: config.name,
      number,
      source,
      artifact: null,
      configDigest: configDigest(deps, config),
      config: withVersions(config, secrets),
      createdBy: by,
      createdAt: deps.clock.now(),
    };
  });
  await deps.store.addReleases(releases);
  return releases;
}

/** The secrets that have another value than in the releases that serve now. */
export async function newValues(
  deps: Pick<EngineDeps, 'store'>,
  releases: Release[],
  serving: Deployment[],
): Promise<string[]> {
  const names = new Set<string>();
  for (const { project, service, config } of releases) {
    const current = currentOf(serving, service);
    const former = current === null ? null : await deps.store.release(project, current);
    for (const name of changedSecrets(former?.config.env ?? {}, versionsIn(config.env))) names.add(name);
  }
  return [...names].toSorted();
}

/** For the reason of a rollout; empty when there are none. */
export const saidNewValues = (names: string[]): string[] =>
  names.length === 0 ? [] : [`${names.join(', ')} ${names.length === 1 ? 'has a new value' : 'have new values'}`];
