import type { ServiceConfig } from '../../domain/project/project.ts';
import type { Deployment, Release, SourceInfo } from '../../domain/release/release.ts';
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

export const configDigest = (deps: Pick<EngineDeps, 'digest'>, config: ServiceConfig): string =>
  deps.digest(JSON.stringify(config));

/** Numbers, and records of releases that are to be built; in the order of `configs`. */
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
      config,
      createdBy: by,
      createdAt: deps.clock.now(),
    };
  });
  await deps.store.addReleases(releases);
  return releases;
}
