import type { Rollout } from '../../domain/rollout/rollout.ts';
import type { EngineDeps } from '../../engine/deps.ts';
import { sizesOf } from '../../engine/scaling.ts';
import type { Snapshot } from '../../engine/snapshot.ts';
import type { RolloutLive } from './rollout-view.ts';

/** Taken back, and all that is left of it are instances that somebody asked to keep for a look. */
function keptWithoutTraffic(rollout: Rollout, snapshot: Snapshot | null): boolean {
  if (rollout.end === null || rollout.end === 'complete' || !rollout.policy.keepFailed) return false;
  if (snapshot === null || snapshot.edge === null) return false;
  const releases = snapshot.edge.services
    .filter(({ config }) => config.project === rollout.project && config.environment === rollout.environment)
    .flatMap(({ config }) => config.releases);
  return rollout.services.every((each) => !releases.some(({ release, weight }) => release === each.to && weight > 0));
}

type Seen = Omit<RolloutLive, 'label'>;

/** What is seen of a rollout's new releases now, from one snapshot of its environment. Null: nobody has looked. */
export async function observeLive(
  deps: { store: Pick<EngineDeps['store'], 'release' | 'scales'> },
  rollout: Rollout,
  snapshot: Snapshot | null,
): Promise<Seen> {
  const kept = keptWithoutTraffic(rollout, snapshot);
  if (snapshot === null || rollout.end !== null) return { observed: {}, keptWithoutTraffic: kept };
  const size = sizesOf(await deps.store.scales(rollout.project, rollout.environment));
  const observed: Seen['observed'] = {};
  for (const each of rollout.services) {
    const release = await deps.store.release(rollout.project, each.to);
    const mine = snapshot.instances.filter((instance) => instance.release === each.to && instance.state === 'running');
    const seenHealthy = new Set(
      snapshot.edge?.services.flatMap((service) =>
        service.instances.filter((instance) => instance.healthy).map((instance) => instance.id),
      ),
    );
    // Neither a folder nor what runs at its times only has instances.
    const isStatic = each.kind === 'static' || release?.config.schedule !== undefined;
    observed[each.service] = {
      wanted: isStatic ? 1 : release === null ? 0 : size(release),
      running: isStatic ? 1 : mine.length,
      healthy: isStatic
        ? 1
        : each.kind === 'worker'
          ? mine.length
          : mine.filter((instance) => seenHealthy.has(instance.id)).length,
    };
  }
  return { observed, keptWithoutTraffic: kept };
}
