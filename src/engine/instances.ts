import type { DesiredService } from '../domain/rollout/desired.ts';
import type { SuperviseAction } from '../domain/instance/supervise.ts';
import type { Deployment, Release } from '../domain/release/release.ts';
import type { InstanceObservation } from '../domain/instance/instance.ts';
import { described, EvenkeelError } from '../ports/errors.ts';
import { superviseRelease } from './assess.ts';
import { attempt } from './attempt.ts';
import { runsBeside } from './beside.ts';
import type { EngineDeps } from './deps.ts';
import { freePort } from './free-port.ts';
import type { EnvironmentMemory } from './memory.ts';
import { resolveEnv } from './resolve-env.ts';
import type { Sizes } from './scaling.ts';
import { noting, runAs } from './run-as.ts';
import { edgeServiceOf, type Snapshot } from './snapshot.ts';

/** After a start that went wrong before there was anything to restart. */
const START_AGAIN_MS = 2_000;

export interface InstanceContext {
  project: string;
  environment: string;
  desired: DesiredService[];
  release: (id: string) => Release | null;
  deployments: Deployment[];
  /** Where a release asks a service. */
  serviceUrl: (service: string, release: string) => string | null;
  snapshot: Snapshot;
  /** How many instances a release ought to have. */
  size: Sizes;
  /** Ids whose start was under way before the snapshot. */
  starting: ReadonlySet<string>;
}

export const instanceId = (release: Release, index: number, generation: number): string =>
  `${release.project}.${release.environment}.${release.id}.${index}.${generation}`;

/**
 * Starts what is missing, restarts what ended, lets what is not wanted any more drain and stops it. Answers when time
 * alone would change anything (milliseconds of wall time), or null.
 */
export async function convergeInstances(
  deps: EngineDeps,
  memory: EnvironmentMemory,
  context: InstanceContext,
): Promise<number | null> {
  memory.health.update(
    context.snapshot.edge?.services
      .filter((each) => each.config.project === context.project && each.config.environment === context.environment)
      .flatMap((each) => each.instances) ?? [],
    context.snapshot.at,
  );
  const wakes: number[] = [];
  /** Releases that ought to run, and with how many instances. */
  const wanted = new Map<string, number>();
  for (const service of context.desired) {
    for (const { release: id, run } of service.releases) {
      const release = context.release(id);
      if (release === null || !run || release.config.kind === 'static') continue;
      // It runs when it is time.
      if (release.config.schedule !== undefined) continue;
      const size = context.size(release);
      wanted.set(id, size);
      const supervision = superviseRelease(release, size, {
        snapshot: context.snapshot,
        health: memory.health,
      });
      if (supervision.wakeAt !== null) wakes.push(supervision.wakeAt);
      const beside = runsBeside(release, { ...context, starting: [...context.starting, ...memory.starting] });
      for (const action of supervision.actions) {
        // Its end is seen at one of the next looks, and then it starts.
        if (action.kind === 'start' && beside) continue;
        await attempt(deps, { release: id }, action.kind, () => perform(deps, memory, context, release, action));
      }
    }
  }
  for (const instance of context.snapshot.instances) {
    if (instance.index < (wanted.get(instance.release) ?? 0)) {
      // One that is wanted again has its whole drain before it the next time.
      memory.draining.delete(instance.id);
      continue;
    }
    const wake = await attempt(deps, { instance: instance.id }, 'stop', () =>
      leave(deps, memory, context, instance, wanted.has(instance.release)),
    );
    if (typeof wake === 'number') wakes.push(wake);
  }
  return wakes.length === 0 ? null : Math.min(...wakes);
}

async function perform(
  deps: EngineDeps,
  memory: EnvironmentMemory,
  context: InstanceContext,
  release: Release,
  action: SuperviseAction,
): Promise<void> {
  switch (action.kind) {
    case 'start': {
      const id = instanceId(release, action.index, action.generation);
      if (memory.starting.has(id)) return;
      memory.starting.add(id);
      deps.log.info({ instance: id }, `start: ${action.reason}`);
      // A large working copy takes its time; the loop goes on looking meanwhile.
      void attempt(deps, { instance: id }, 'start', () =>
        startInstance(deps, context, release, id, action).then(
          () => memory.unstartable.delete(release.id),
          async (error: unknown) => {
            if (error instanceof EvenkeelError && !error.retryable)
              memory.unstartable.set(release.id, described(error));
            throw error;
          },
        ),
      ).then(async (started) => {
        if (started === undefined) await deps.clock.sleep(START_AGAIN_MS);
        memory.starting.delete(id);
      });
      return;
    }
    case 'stop':
      deps.log.warn({ instance: action.id }, `stop: ${action.reason}`);
      await deps.runtime.stop(action.id, { graceMs: release.config.stopGraceMs, reason: action.reason });
      return;
    case 'remove':
      await deps.runtime.remove(action.id);
  }
}

async function startInstance(
  deps: EngineDeps,
  context: InstanceContext,
  release: Release,
  id: string,
  action: { index: number; generation: number },
): Promise<void> {
  const { config } = release;
  const { cloud } = config;
  if (release.artifact === null || (config.run === null && cloud === undefined)) return;
  const scope = { project: context.project, environment: context.environment };
  // Nobody's stable address either: those are free too while the edge is away.
  const taken = config.kind === 'worker' || cloud !== undefined ? null : new Set(await deps.store.takenPorts());
  const port = taken === null ? null : await freePort(deps, taken);
  const { serviceUrl, calls } = noting((service) => context.serviceUrl(service, release.id));
  // The cloud has the secrets, and tells them to what runs there.
  const env = cloud === undefined ? await resolveEnv(config.env, scope, { port, serviceUrl }, deps.secrets) : {};
  await deps.runtime.start({
    id,
    ...scope,
    service: release.service,
    release: release.id,
    index: action.index,
    generation: action.generation,
    artifact: deps.builder.artifactPath(release.artifact),
    dir: config.dir,
    command: config.run ?? '',
    env,
    port,
    data: config.data.map((path) => ({ path, target: deps.places.data({ ...scope, service: release.service, path }) })),
    resources: config.resources,
    alone: config.overlap === false,
    runAs: runAs(config),
    calls: calls(),
    log: deps.places.instanceLog({ ...scope, service: release.service, instance: id }),
    cloud,
  });
}

/**
 * An instance whose release is not wanted: out of the edge first (the table has it as draining), then, once it has
 * nothing left to answer or the drain is over, SIGTERM; once it has ended, its record goes.
 */
async function leave(
  deps: EngineDeps,
  memory: EnvironmentMemory,
  context: InstanceContext,
  instance: InstanceObservation,
  /** Its release goes on, with fewer instances. */
  stays: boolean,
): Promise<number | null> {
  if (instance.state === 'ended') {
    memory.draining.delete(instance.id);
    await deps.runtime.remove(instance.id);
    return null;
  }
  if (instance.state === 'stopping') return null;
  const release = context.release(instance.release);
  const edge = edgeServiceOf(context.snapshot, context, instance.service);
  const entry = edge?.config.releases.flatMap((each) => each.instances).find((each) => each.id === instance.id);
  const inFlight = edge?.instances.find((each) => each.id === instance.id)?.inFlight ?? 0;
  const now = context.snapshot.at;
  const since = memory.draining.get(instance.id) ?? now;
  memory.draining.set(instance.id, since);
  const drainMs = release?.config.rollout.drainMs ?? 0;
  // Without an edge that answers, nobody knows what it still has to answer: it gets the whole drain.
  const known = context.snapshot.edge !== null;
  const free = known && (entry === undefined || (entry.draining && inFlight === 0));
  if (!free && now - since < drainMs) return Math.min(since + drainMs, now + 250);
  await deps.runtime.stop(instance.id, {
    graceMs: release?.config.stopGraceMs ?? 10_000,
    reason: stays ? 'fewer instances are wanted' : 'its release is not wanted any more',
  });
  return null;
}
