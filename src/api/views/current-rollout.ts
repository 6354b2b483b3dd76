import type { Rollout } from '../../domain/rollout/rollout.ts';
import { takeSnapshot } from '../../engine/snapshot.ts';
import type { ApiDeps } from '../api-deps.ts';
import type { RolloutView } from '../contract/rollouts.ts';
import { observeLive } from './observe-live.ts';
import { releaseLabel } from './release-labels.ts';
import { rolloutView } from './rollout-view.ts';

/** With the newest evidence that the loop has, and, when `live`, what is seen of its instances. */
export async function view(deps: ApiDeps, stored: Rollout, live: boolean): Promise<RolloutView> {
  const { engine } = deps;
  const latest = engine.latest(stored.id)?.rollout ?? null;
  const rollout = latest !== null && latest.version >= stored.version ? latest : stored;
  const snapshot =
    live && !rollout.settled ? await takeSnapshot(engine.deps, rollout, { stats: false }).catch(() => null) : null;
  const seen = await observeLive({ store: engine.reads }, rollout, snapshot);
  const labels = await Promise.all(
    rollout.services.map(async ({ to }) => [to, await releaseLabel(engine, rollout.project, to)] as const),
  );
  const labelOf = new Map(labels);
  return rolloutView(rollout, { ...seen, label: (release) => labelOf.get(release) ?? null });
}
