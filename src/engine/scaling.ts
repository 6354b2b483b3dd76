import type { Scope } from '../domain/project/scope.ts';
import type { Release } from '../domain/release/release.ts';
import type { Deployment } from '../domain/release/release.ts';
import { isPromoted } from '../domain/rollout/active.ts';
import type { Rollout } from '../domain/rollout/rollout.ts';
import { decideScale, type LoadSample, RISE_MS } from '../domain/scaling/decide-scale.ts';
import { boundsOf, DEFAULT_SCALE, type Scale, sizeOf } from '../domain/scaling/scale.ts';
import { attempt } from './attempt.ts';
import type { Snapshot } from './snapshot.ts';
import { edgeServiceOf } from './snapshot.ts';
import type { EnvironmentTools } from './tools.ts';

/** How many instances each release ought to have. */
export type Sizes = (release: Release) => number;

export const sizesOf =
  (scales: readonly Scale[]): Sizes =>
  (release) =>
    sizeOf(release.config, scales.find((each) => each.service === release.service) ?? null);

/**
 * Lets what follows its load grow and shrink: looks at what it has to do, decides, writes it down with its reason, and
 * answers how many instances every service has now. Losing the load that was seen, as a new controller has, only lets
 * shrinking wait anew.
 */
export async function convergeScales(
  tools: EnvironmentTools,
  scope: Scope,
  seen: { deployments: Deployment[]; snapshot: Snapshot; rollouts: Rollout[]; wanted: 'up' | 'down' },
): Promise<Scale[]> {
  const { deps } = tools;
  const scales = await deps.store.scales(scope.project, scope.environment);
  const alive = new Set(seen.snapshot.instances.filter((each) => each.state !== 'ended').map((each) => each.id));
  for (const id of tools.memory.cpuSeen.keys()) if (!alive.has(id)) tools.memory.cpuSeen.delete(id);
  if (seen.wanted === 'down') return scales;
  for (const { service, current } of seen.deployments) {
    const release = current === null ? null : tools.releases.get(current);
    if (release === null || !mayScale(release)) continue;
    const scale = scales.find((each) => each.service === service) ?? null;
    const bounds = boundsOf(release.config, scale?.override ?? null);
    if (bounds.min === bounds.max && (scale === null || scale.instances === bounds.min)) continue;
    const next = await attempt(deps, { service }, 'scale', () => scaleOne(tools, scope, release, scale, seen));
    if (next !== undefined && next !== null)
      scales.splice(scale === null ? scales.length : scales.indexOf(scale), scale === null ? 0 : 1, next);
  }
  return scales;
}

/** What cannot run twice, or runs at its times only, has nothing to scale. */
export const mayScale = ({ config }: Release): boolean =>
  config.kind !== 'static' && config.overlap !== false && config.schedule === undefined;

async function scaleOne(
  tools: EnvironmentTools,
  scope: Scope,
  release: Release,
  scale: Scale | null,
  seen: { snapshot: Snapshot; rollouts: Rollout[] },
): Promise<Scale | null> {
  const { deps, memory } = tools;
  const { service, config } = release;
  const targets = config.scale ?? DEFAULT_SCALE;
  const at = seen.snapshot.at;
  const samples = [...(memory.load.get(service) ?? []), ...sampleOf(tools, scope, service, seen.snapshot)].filter(
    // Of a clock that was set back nothing is kept that lies ahead.
    (each) => each.at <= at && at - each.at <= targets.cooldownMs + RISE_MS,
  );
  memory.load.set(service, samples);
  const underWay = seen.rollouts.some(
    (each) => each.end === null && !isPromoted(each) && each.services.some((part) => part.service === service),
  );
  const instances = scale?.instances ?? config.instances;
  const decision = decideScale(
    { instances, changedAt: Math.min(scale?.changedAt ?? 0, at), at },
    boundsOf(config, scale?.override ?? null),
    targets,
    samples,
    { coresEach: config.resources.cpu ?? 1, mayShrink: !underWay },
  );
  if (decision.instances === instances) return scale;
  const change = { at, from: scale?.instances ?? null, to: decision.instances, reason: decision.reason };
  const saved = await deps.store.resize({ ...scope, service }, change, deps.fence);
  if (!saved.saved) {
    if (saved.reason === 'fence') deps.onFenced();
    return null;
  }
  deps.log.info({ service, from: instances, to: change.to }, `scaled: ${change.reason}`);
  return { service, instances: change.to, changedAt: at, override: scale?.override ?? null };
}

/** What the busiest release of a service has to do now; nothing when the edge cannot be asked. */
function sampleOf({ memory }: EnvironmentTools, scope: Scope, service: string, snapshot: Snapshot): LoadSample[] {
  const edge = edgeServiceOf(snapshot, scope, service);
  if (snapshot.edge === null) return [];
  const running = snapshot.instances.filter((each) => each.service === service && each.state !== 'ended');
  const loads = new Map<string, { inFlight: number; cores: number | null }>();
  for (const { id, release, usage } of running) {
    const load = loads.get(release) ?? { inFlight: 0, cores: null };
    load.inFlight += edge?.instances.find((each) => each.id === id)?.inFlight ?? 0;
    const before = memory.cpuSeen.get(id);
    if (usage !== null && before !== undefined && snapshot.at > before.at)
      load.cores = (load.cores ?? 0) + Math.max(0, usage.cpuMs - before.cpuMs) / (snapshot.at - before.at);
    // Looks that follow each other at once would divide by next to nothing.
    if (usage !== null && (before === undefined || snapshot.at - before.at >= 500 || snapshot.at < before.at))
      memory.cpuSeen.set(id, { at: snapshot.at, cpuMs: usage.cpuMs });
    loads.set(release, load);
  }
  const all = [...loads.values()];
  const cores = all.flatMap((each) => each.cores ?? []);
  return [
    {
      at: snapshot.at,
      inFlight: Math.max(0, ...all.map((each) => each.inFlight)) + (edge?.held ?? 0),
      cores: cores.length === 0 ? null : Math.max(...cores),
    },
  ];
}
