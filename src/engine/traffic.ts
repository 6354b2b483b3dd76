import { type EdgeService, type EdgeState, serviceKey } from '../domain/traffic/protocol.ts';
import type { DesiredService } from '../domain/rollout/desired.ts';
import type { EnvironmentConfig } from '../domain/project/project.ts';
import type { Address, Deployment, Release } from '../domain/release/release.ts';
import type { Rollout } from '../domain/rollout/rollout.ts';
import type { EngineDeps } from './deps.ts';
import type { EnvironmentMemory } from './memory.ts';
import type { Sizes } from './scaling.ts';
import { passwordHashes } from './passwords.ts';
import type { Snapshot } from './snapshot.ts';
import { trafficTable } from './traffic-table.ts';

/** Tells the edge what has changed of the environment, in one command. True when something was applied. */
export async function convergeTraffic(
  deps: EngineDeps,
  memory: EnvironmentMemory,
  context: {
    project: string;
    environment: string;
    /** With the public port as it is to be now. */
    opened: EnvironmentConfig;
    desired: DesiredService[];
    deployments: Deployment[];
    addresses: Address[];
    rollouts: Rollout[];
    snapshot: Snapshot;
    size: Sizes;
    release: (id: string) => Release | null;
  },
): Promise<boolean> {
  const { snapshot } = context;
  if (snapshot.edge === null) return false;
  const { entry } = context.opened;
  const scope = { project: context.project, environment: context.environment };
  const hashOf = await passwordHashes(deps, memory, { scope, entry, edge: snapshot.edge });
  const table = trafficTable({
    project: context.project,
    environment: context.opened,
    desired: context.desired,
    deployments: context.deployments,
    addresses: context.addresses,
    rollouts: context.rollouts,
    instances: snapshot.instances,
    release: context.release,
    size: context.size,
    hashOf,
    artifactPath: (artifact) => deps.builder.artifactPath(artifact),
    certificateOf: (id) => deps.certificates?.place(id) ?? null,
  });
  const applied = new Map(
    snapshot.edge.services
      .filter((each) => each.config.project === context.project && each.config.environment === context.environment)
      .map((each) => [each.key, JSON.stringify(each.config)]),
  );
  const services = table.filter((each) => applied.get(serviceKey(each)) !== JSON.stringify(each));
  const named = new Set(table.map(serviceKey));
  const remove = [...applied.keys()].filter((key) => !named.has(key));
  if (services.length === 0 && remove.length === 0) {
    memory.refusal = null;
    return false;
  }
  const reply = await deps.traffic.apply({ fence: deps.fence, services, remove });
  if (reply.applied) {
    memory.refusal = null;
    return true;
  }
  if (reply.refused?.reason === 'pending') return false;
  const detail = reply.refused?.detail ?? 'the edge refused the change';
  // It is asked for again at every look; once is enough to be told.
  if (detail !== memory.refusal)
    deps.log.error(
      { project: context.project, environment: context.environment, ...reply.refused },
      'the edge refused a change',
    );
  if (reply.refused?.reason === 'fence') deps.onFenced();
  // That another edge process has taken over says nothing about a release: the next look reaches that one.
  if (reply.refused?.reason === 'fence' || reply.refused?.reason === 'superseded') return false;
  memory.refusal = detail;
  await applyInstances(deps, snapshot.edge, services);
  return false;
}

/**
 * What the edge refuses (a port that a stranger has, a route of another project) must not keep a copy that was started
 * anew from its traffic: of what is applied, the instances alone are brought up to date.
 */
async function applyInstances(deps: EngineDeps, edge: EdgeState, wanted: EdgeService[]): Promise<void> {
  const services = wanted.flatMap((service): EdgeService[] => {
    const applied = edge.services.find((each) => each.key === serviceKey(service))?.config;
    if (applied === undefined) return [];
    const releases = applied.releases.map((each) => {
      const now = service.releases.find(({ release }) => release === each.release);
      return now === undefined ? each : { ...each, instances: now.instances };
    });
    return JSON.stringify(releases) === JSON.stringify(applied.releases) ? [] : [{ ...applied, releases }];
  });
  if (services.length > 0) await deps.traffic.apply({ fence: deps.fence, services, remove: [] });
}
