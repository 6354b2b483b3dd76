import type { ServiceConfig } from '../../domain/project/project.ts';
import type { Deployment } from '../../domain/release/release.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import type { EngineDeps } from '../deps.ts';

const TRIES = 200;

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
    created.push({ ...scope, service: name, current: null, former: null, internalPort, previewPort });
  }
  if (created.length > 0) await deps.store.ensureDeployments(created);
}

async function freePort(deps: Pick<EngineDeps, 'runtime'>, taken: Set<number>): Promise<number> {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const port = await deps.runtime.allocatePort();
    if (taken.has(port)) continue;
    taken.add(port);
    return port;
  }
  throw new EvenkeelError({
    code: 'no-free-port',
    what: 'no free loopback port was found for a service',
    next: 'stop programs that listen on many ports, then try again',
    retryable: true,
    exit: 2,
  });
}
