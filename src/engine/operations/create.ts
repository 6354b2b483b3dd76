import type { Deployment } from '../../domain/release/release.ts';
import { isPromoted } from '../../domain/rollout/active.ts';
import { concerns, type Rollout } from '../../domain/rollout/rollout.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import type { EngineDeps } from '../deps.ts';
import type { Engine } from '../engine.ts';
import { until } from './until.ts';

const REPLACE_TIMEOUT_MS = 60_000;

/**
 * Makes the rollout from what serves now, records it and wakes the loop. While another one of the same services is under way it is refused, or, with
 * `replace`, that one is aborted first and its end waited for. One in its window does not stand in the way.
 */
export async function createOrReplace(
  engine: Engine,
  make: (serving: Deployment[]) => Promise<Rollout>,
  options: { project: string; environment: string; replace: boolean; by: string; detail?: Record<string, unknown> },
): Promise<Rollout> {
  const { deps } = engine;
  for (let attempt = 0; attempt < 10; attempt++) {
    const serving = await deps.store.deployments(options.project, options.environment);
    const rollout = await afterNewest(engine, await make(serving));
    const basedOn = rollout.services.map(({ service, from }) => ({ service, current: from }));
    const entry = {
      at: deps.clock.now(),
      from: null,
      to: 'pending' as const,
      reason: rollout.reason,
      detail: options.detail ?? {},
    };
    const result = await deps.store.createRollout({ ...rollout, fence: deps.fence }, entry, basedOn);
    if (result.created) {
      engine.wake(rollout);
      return result.rollout;
    }
    const { active } = result;
    // Another rollout was promoted or taken back meanwhile: begin from what serves now.
    if (active === null) continue;
    if (!options.replace) throw underWay(active);
    await deps.store.addRequest({
      rollout: active.id,
      kind: 'abort',
      by: options.by,
      at: deps.clock.now(),
      comment: `replaced by a newer deploy`,
      force: false,
    });
    engine.wake(active);
    await until(engine, async () => ((await deps.store.rollout(active.id))?.end ?? null) !== null, {
      what: `rollout ${active.id} to end`,
      timeoutMs: REPLACE_TIMEOUT_MS,
    });
  }
  throw new EvenkeelError({
    code: 'rollout-contested',
    what: 'other rollouts of the same services keep beginning',
    retryable: true,
    exit: 2,
  });
}

/** Rollouts are told apart by when they began; a clock that was set back must not turn their order round. */
async function afterNewest(engine: Engine, rollout: Rollout): Promise<Rollout> {
  const { project, environment } = rollout;
  const [newest] = await engine.deps.store.rollouts({ project, environment, limit: 1 });
  const createdAt = Math.max(rollout.createdAt, (newest?.createdAt ?? 0) + 1);
  return { ...rollout, createdAt };
}

/**
 * Before anything is written: a deploy that is refused must not have brought the environment up. The public port is
 * moved by one rollout at a time, too.
 */
export async function refuseWhileUnderWay(
  deps: Pick<EngineDeps, 'store'>,
  scope: { project: string; environment: string },
  services: string[],
  moves: boolean,
): Promise<void> {
  const open = await deps.store.rollouts({ ...scope, unsettled: true });
  const blocking = open.find(
    (each) =>
      each.end === null &&
      !isPromoted(each) &&
      ((moves && each.opens !== null) || concerns(each).some((service) => services.includes(service))),
  );
  if (blocking !== undefined) throw underWay(blocking);
}

function underWay(active: Rollout): EvenkeelError {
  const services = concerns(active).join(', ') || 'the public port';
  const state = active.paused === null ? active.phase : `${active.phase}, paused (${active.paused.reason})`;
  return new EvenkeelError({
    code: 'rollout-under-way',
    what: `a rollout of ${services} is under way (${active.id}, ${state})`,
    why: 'a service, and the public port, has one rollout at a time',
    next: `evenkeel watch ${active.id} to see it, evenkeel abort ${active.id} to stop it, or deploy with --replace`,
  });
}
