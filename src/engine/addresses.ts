import type { InstanceObservation } from '../domain/instance/instance.ts';
import { askedServices } from '../domain/project/asked-services.ts';
import type { Address, Deployment, Release } from '../domain/release/release.ts';
import type { DesiredService } from '../domain/rollout/desired.ts';
import type { Run } from '../domain/schedule/run.ts';
import type { EngineDeps } from './deps.ts';
import { freePort } from './free-port.ts';

/** Where a release asks a service: at its own address once it has one, else (its build) at everybody's. */
export const serviceUrls =
  (deployments: Deployment[], addresses: Address[]) =>
  (service: string, release: string): string | null => {
    const own = addresses.find((each) => each.release === release && each.service === service);
    const port = own?.port ?? deployments.find((each) => each.service === service)?.internalPort ?? null;
    return port === null ? null : `http://127.0.0.1:${port}`;
  };

/** What runs in a cloud asks the addresses that its services have there. */
const isElsewhere = ({ config }: Release): boolean => config.cloud !== undefined;

/**
 * The addresses at which the environment's running releases ask other services: given before a release starts, since it
 * reads them once, and taken back when nothing of it runs any more.
 */
export async function keepAddresses(
  deps: Pick<EngineDeps, 'store' | 'runtime'>,
  { project, environment }: { project: string; environment: string },
  wanted: {
    known: Address[];
    desired: DesiredService[];
    instances: InstanceObservation[];
    /** Runs of scheduled services that have not ended. */
    runs: Pick<Run, 'release'>[];
    release: (id: string) => Release | null;
  },
): Promise<Address[]> {
  const { known } = wanted;
  const starting = wanted.desired.flatMap((each) => each.releases.filter(({ run }) => run));
  const running = new Set([
    ...starting.map(({ release }) => release),
    ...wanted.runs.flatMap(({ release }) => release ?? []),
    ...wanted.instances.filter(({ state }) => state !== 'ended').map(({ release }) => release),
  ]);
  const missing = starting.flatMap(({ release: id }) => {
    const release = wanted.release(id);
    if (release === null || isElsewhere(release)) return [];
    return askedServices(release.config.env)
      .filter((service) => !known.some((each) => each.release === id && each.service === service))
      .map((service) => ({ project, environment, release: id, service }));
  });
  const over = known.filter(({ release }) => !running.has(release)).map(({ release }) => release);
  if (over.length > 0) await deps.store.takeAddresses({ project, environment }, [...new Set(over)]);
  const kept = known.filter(({ release }) => running.has(release));
  if (missing.length === 0) return kept;
  const taken = new Set(await deps.store.takenPorts());
  const given: Address[] = [];
  for (const each of missing) given.push({ ...each, port: await freePort(deps, taken) });
  await deps.store.giveAddresses(given);
  return [...kept, ...given];
}
