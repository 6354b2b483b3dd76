import type { Scope } from '../../domain/project/scope.ts';
import { isPromoted } from '../../domain/rollout/active.ts';
import type { Release } from '../../domain/release/release.ts';
import { type Bounds, basisOf, boundsOf, type Scale, type ScaleChange, sizeOf } from '../../domain/scaling/scale.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import type { Engine } from '../engine.ts';
import { mayScale } from '../scaling.ts';
import { currentOf } from './new-releases.ts';
import { requireUp } from './require-up.ts';

interface ServiceScope extends Scope {
  service: string;
}

export interface ScaleSeen {
  service: string;
  /** As many as there ought to be. */
  instances: number;
  bounds: Bounds;
  /** What the file says. */
  file: Bounds;
  /** Who set it by hand, while that holds. */
  setBy: string | null;
  /** Newest first. */
  changes: ScaleChange[];
}

const CHANGES = 20;

/** How many instances a service ought to have, and why. Throws EvenkeelError `service-unknown` or `service-not-scalable`. */
export async function scaleOf(engine: Engine, scope: ServiceScope): Promise<ScaleSeen> {
  const { release, scale } = await find(engine, scope);
  const { config } = release;
  const override = scale?.override ?? null;
  const holds = override !== null && override.basis === basisOf(config);
  return {
    service: scope.service,
    instances: sizeOf(config, scale),
    bounds: boundsOf(config, override),
    file: boundsOf(config, null),
    setBy: holds ? override.by : null,
    changes: await engine.deps.store.scaleChanges(scope, CHANGES),
  };
}

/**
 * Sets between which numbers of instances a service moves, or, with null, lets the file say it again. It holds until the
 * file says something else of `instances` than it does now: a deploy that changes other things leaves it as it is. Throws
 * EvenkeelError `scale-during-rollout`, besides those of `scaleOf`.
 */
export async function scale(
  engine: Engine,
  input: ServiceScope & { bounds: Bounds | null; by: string },
): Promise<ScaleSeen> {
  const { deps } = engine;
  const { bounds, by, ...scope } = input;
  await requireUp(deps, scope);
  const found = await find(engine, scope);
  const { config } = found.release;
  const before = sizeOf(config, found.scale);
  const wanted = bounds ?? boundsOf(config, null);
  const after = Math.min(wanted.max, Math.max(wanted.min, before));
  if (after < before) await refuseDuringRollout(engine, scope);
  const range = wanted.min === wanted.max ? `${wanted.min}` : `${wanted.min} to ${wanted.max}`;
  const reason = bounds === null ? `${by}: as the file says, ${range}` : `${by} asks for ${range}`;
  const override = bounds === null ? null : { ...bounds, by, basis: basisOf(config) };
  const change = { at: deps.clock.now(), from: found.scale?.instances ?? null, to: after, reason };
  await deps.store.overrideScale(scope, override, change);
  engine.wake(scope);
  return scaleOf(engine, scope);
}

async function find(
  { deps }: Engine,
  { project, environment, service }: ServiceScope,
): Promise<{ release: Release; scale: Scale | null }> {
  const deployments = await deps.store.deployments(project, environment);
  const current = currentOf(deployments, service);
  const release = current === null ? null : await deps.store.release(project, current);
  if (release === null)
    throw new EvenkeelError({
      code: 'service-unknown',
      what: `service ${service} has no release here`,
      next: 'evenkeel status shows what there is',
    });
  if (!mayScale(release)) {
    const { overlap, schedule } = release.config;
    const why =
      overlap === false
        ? 'it cannot run twice (`overlap: false`)'
        : schedule === undefined
          ? 'the edge serves its files itself'
          : 'it runs at its times only (`schedule`)';
    throw new EvenkeelError({
      code: 'service-not-scalable',
      what: `${service} cannot be scaled`,
      why,
      next: 'evenkeel status',
    });
  }
  const scale = (await deps.store.scales(project, environment)).find((each) => each.service === service) ?? null;
  return { release, scale };
}

/** What a canary is compared with must not change while it is judged. */
async function refuseDuringRollout({ deps }: Engine, { project, environment, service }: ServiceScope): Promise<void> {
  const open = await deps.store.rollouts({ project, environment, service, unsettled: true });
  const active = open.find((each) => each.end === null && !isPromoted(each));
  if (active === undefined) return;
  throw new EvenkeelError({
    code: 'scale-during-rollout',
    what: `a rollout of ${service} is under way (${active.id}, ${active.phase})`,
    why: 'instances are not taken away while releases are compared',
    next: `evenkeel watch ${active.id}, then scale; or scale up`,
  });
}
