import type { Project } from '../../domain/project/project.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import type { EngineDeps } from '../deps.ts';

/**
 * An environment that serves on this machine does not go to the cloud by a deploy, nor back: nobody could split its
 * sessions between two places that know nothing of each other, or take it back at once. Throws `runtime-moved`.
 */
export async function refuseMove(deps: Pick<EngineDeps, 'store'>, project: Project): Promise<void> {
  const { name, environment } = project;
  const serving = await deps.store.deployments(name, environment.name);
  for (const { service, current } of serving) {
    const config = project.services.find((each) => each.name === service);
    const release = current === null || config === undefined ? null : await deps.store.release(name, current);
    if (release === null || (release.config.cloud === undefined) === (config?.cloud === undefined)) continue;
    const [from, to] =
      release.config.cloud === undefined ? ['this machine', 'Cloud Run'] : ['Cloud Run', 'this machine'];
    throw new EvenkeelError({
      code: 'runtime-moved',
      what: `${environment.name} serves on ${from}, and would move to ${to}`,
      where: 'environments in evenkeel.yaml (runtime:)',
      why: 'a rollout compares two releases beside each other, and gives traffic back at once: not between two places',
      next: `name a second environment with the other runtime, deploy it, move the domain to it, then: evenkeel down --env ${environment.name}`,
    });
  }
}
