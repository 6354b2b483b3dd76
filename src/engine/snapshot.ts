import type { InstanceObservation } from '../domain/instance/instance.ts';
import { type EdgeState, serviceKey } from '../domain/traffic/protocol.ts';
import type { EdgeStats } from '../domain/traffic/stats.ts';
import type { EngineDeps } from './deps.ts';

/** What was seen of an environment at one moment. */
export interface Snapshot {
  at: number;
  instances: InstanceObservation[];
  /** Null: the edge did not answer. */
  edge: EdgeState | null;
  stats: EdgeStats | null;
}

export async function takeSnapshot(
  deps: Pick<EngineDeps, 'runtime' | 'traffic' | 'clock' | 'log'>,
  scope: { project: string; environment: string },
  wants: { stats: boolean },
): Promise<Snapshot> {
  const unreachable = (error: unknown): null => {
    deps.log.warn(
      { ...scope, error: error instanceof Error ? error.message : String(error) },
      'the edge does not answer',
    );
    return null;
  };
  const [instances, edge, stats] = await Promise.all([
    deps.runtime.observe(scope),
    deps.traffic.state(scope).catch(unreachable),
    wants.stats ? deps.traffic.stats(scope).catch(() => null) : null,
  ]);
  return { at: deps.clock.now(), instances, edge, stats };
}

export function edgeServiceOf(
  snapshot: Snapshot,
  scope: { project: string; environment: string },
  service: string,
): EdgeState['services'][number] | null {
  const key = serviceKey({ ...scope, service });
  return snapshot.edge?.services.find((each) => each.key === key) ?? null;
}
