import type { Project, ServiceConfig } from '../../domain/project/project.ts';
import type { Deployment } from '../../domain/release/release.ts';
import { changedSecrets } from '../../domain/release/secret-versions.ts';
import type { RemovedService } from '../../domain/rollout/rollout.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import type { EngineDeps } from '../deps.ts';
import { configDigest, currentOf, secretVersions } from './new-releases.ts';

/** Where the file and what serves differ. */

/** The services of these names, in the file's order; throws EvenkeelError `service-unknown`. Null: all. */
export function chooseServices(project: Project, names: string[] | null): ServiceConfig[] {
  if (names === null) return project.services;
  for (const name of names) {
    if (project.services.some((each) => each.name === name)) continue;
    throw new EvenkeelError({
      code: 'service-unknown',
      what: `there is no service ${name} in project ${project.name}`,
      where: 'evenkeel.yaml',
      next: `one of: ${project.services.map((each) => each.name).join(', ')}`,
    });
  }
  return project.services.filter((each) => names.includes(each.name));
}

/** Those whose files, configuration or secrets are not what serves. */
export async function changedServices(
  deps: EngineDeps,
  project: Project,
  chosen: ServiceConfig[],
  deployments: Deployment[],
): Promise<ServiceConfig[]> {
  const scope = { project: project.name, environment: project.environment.name };
  const today = project.secrets.length === 0 ? {} : await secretVersions(deps, scope);
  const changed: ServiceConfig[] = [];
  for (const config of chosen) {
    const current = currentOf(deployments, config.name);
    const release = current === null ? null : await deps.store.release(project.name, current);
    const same =
      release !== null &&
      release.configDigest === configDigest(deps, config) &&
      changedSecrets(release.config.env, today).length === 0 &&
      release.artifact !== null &&
      release.artifact === (await deps.builder.artifactOf(await deps.builder.inputDigest(project.root, config)));
    if (!same) changed.push(config);
  }
  return changed;
}

/** What serves of services that are not in the file any more. */
export async function removedServices(
  deps: EngineDeps,
  project: Project,
  deployments: Deployment[],
): Promise<RemovedService[]> {
  const removed: RemovedService[] = [];
  for (const { service, current } of deployments) {
    if (current === null || project.services.some((each) => each.name === service)) continue;
    const release = await deps.store.release(project.name, current);
    removed.push({ service, release: current, kind: release?.config.kind ?? 'http' });
  }
  return removed;
}
