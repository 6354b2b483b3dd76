import type { ServiceConfig } from '../../domain/project/project.ts';
import type { Deployment } from '../../domain/release/release.ts';
import type { EngineDeps } from '../deps.ts';
import { freePort } from '../free-port.ts';

/** Gives each service that can be asked its stable internal address and its preview port, once and for good. */
export async function ensurePorts(
  deps: Pick<EngineDeps, 'store' | 'runtime'>,
  scope: { project: string; environment: string },
  services: ServiceConfig[],
): Promise<void> {
  const known = await deps.store.deployments(scope.project, scope.environment);
  const taken = new Set(await deps.store.takenPorts());
  const missing = services.filter((each) => !known.some((deployment) => deployment.service === each.name));
  const created: Deployment[] = [];
  for (const { name, kind } of missing) {
    const internalPort = kind === 'http' ? await freePort(deps, taken) : null;
    const previewPort = kind === 'worker' ? null : await freePort(deps, taken);
    created.push({ ...scope, service: name, current: null, former: null, contracted: null, internalPort, previewPort });
  }
  if (created.length > 0) await deps.store.ensureDeployments(created);
}
