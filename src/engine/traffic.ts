import { serviceKey } from '../domain/traffic/protocol.ts';
import type { DesiredService } from '../domain/rollout/desired.ts';
import type { Deployment, Release } from '../domain/release/release.ts';
import type { EnvironmentRecord } from '../ports/store.ts';
import type { EngineDeps } from './deps.ts';
import type { EnvironmentMemory } from './memory.ts';
import type { Snapshot } from './snapshot.ts';
import { trafficTable } from './traffic-table.ts';

/** Tells the edge what has changed of the environment, in one command. True when something was applied. */
export async function convergeTraffic(
  deps: EngineDeps,
  memory: EnvironmentMemory,
  context: {
    project: string;
    environment: string;
    record: EnvironmentRecord;
    desired: DesiredService[];
    deployments: Deployment[];
    snapshot: Snapshot;
    release: (id: string) => Release | null;
  },
): Promise<boolean> {
  const { snapshot } = context;
  if (snapshot.edge === null) return false;
  const table = trafficTable({
    project: context.project,
    environment: context.record.config.environment,
    desired: context.desired,
    deployments: context.deployments,
    instances: snapshot.instances,
    release: context.release,
    artifactPath: (artifact) => deps.builder.artifactPath(artifact),
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
  if (reply.refused?.reason === 'fence') deps.onFenced();
  // That another edge process has taken over says nothing about a release: the next look reaches that one.
  if (reply.refused?.reason !== 'superseded') memory.refusal = reply.refused?.detail ?? 'the edge refused the change';
  deps.log.error(
    { project: context.project, environment: context.environment, ...reply.refused },
    'the edge refused a change',
  );
  return false;
}
