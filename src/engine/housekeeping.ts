import type { LogReader } from '../ports/logs.ts';
import type { Telemetry } from '../ports/store.ts';
import { isAway } from '../domain/project/is-away.ts';
import type { EngineDeps } from './deps.ts';

export const LOGS_EVERY_MS = 1_000;
export const COLLECT_EVERY_MS = 60_000;

/** Keeps the logs of everything that runs below their size. */
export async function maintainLogs(
  deps: Pick<EngineDeps, 'store' | 'runtime' | 'places'>,
  logs: LogReader,
): Promise<void> {
  const files: string[] = [];
  for (const scope of await deps.store.environments()) {
    // What runs in the cloud writes no files here, and need not answer now.
    if (isAway(scope.config)) continue;
    const running = (await deps.runtime.observe(scope)).filter((each) => each.state !== 'ended');
    files.push(
      ...running.map((each) => deps.places.instanceLog({ ...scope, service: each.service, instance: each.id })),
    );
  }
  // All at once: what is not named is forgotten, and with it since when it is known.
  await logs.maintain(files);
}

/** Of each scheduled service. */
const RUNS_KEPT = 200;

/** How far back rollouts are asked for what has served. */
const HISTORY = 200;

/**
 * Deletes the artifacts of releases that nobody can go back to any more, and telemetry that is too old. What serves, is
 * hot, is being rolled out, or belongs to the last `keepReleases` of a service stays. So do the last `keepReleases` that
 * served: after a row of failed attempts they are the ones to go back to.
 */
export async function collect(
  deps: Pick<EngineDeps, 'store' | 'builder' | 'clock' | 'log'>,
  telemetry: Pick<Telemetry, 'maintain'>,
): Promise<void> {
  const keep = new Set<string>();
  for (const scope of await deps.store.environments()) {
    const deployments = await deps.store.deployments(scope.project, scope.environment);
    const open = await deps.store.rollouts({ project: scope.project, environment: scope.environment, unsettled: true });
    const busy = new Set(open.flatMap((each) => each.services.flatMap((part) => [part.to, part.from])));
    const served = await servedReleases(deps, scope);
    for (const { service, current, former } of deployments) {
      const releases = await deps.store.releases({
        project: scope.project,
        environment: scope.environment,
        service,
        limit: 500,
      });
      const kept = releases.find((each) => each.id === current)?.config.rollout.keepReleases ?? 5;
      const built = releases.filter((each) => each.artifact !== null);
      const wanted = new Set([
        ...[...built.slice(0, kept + 1), ...built.filter((each) => served.has(each.id)).slice(0, kept + 1)].map(
          (each) => each.id,
        ),
        ...busy,
        current,
        former,
      ]);
      for (const { id, artifact } of built) if (artifact !== null && wanted.has(id)) keep.add(artifact);
    }
  }
  const freed = await deps.builder.collect(keep);
  if (freed.artifacts > 0) deps.log.info({ ...freed }, 'old artifacts deleted');
  await deps.store.forgetRuns(RUNS_KEPT);
  await telemetry.maintain(deps.clock.now());
}

/** Every release that once had all traffic and was not taken back from it. */
async function servedReleases(
  deps: Pick<EngineDeps, 'store'>,
  { project, environment }: { project: string; environment: string },
): Promise<Set<string>> {
  const rollouts = await deps.store.rollouts({ project, environment, limit: HISTORY });
  return new Set(
    rollouts
      .flatMap((rollout) =>
        rollout.services.flatMap((each) => (rollout.end === 'complete' ? [each.to, each.from] : [each.from])),
      )
      .filter((id) => id !== null),
  );
}

/**
 * Runs a piece of upkeep again and again until the signal fires, while this controller acts; an error is logged and does
 * not end it.
 */
export async function every(
  deps: Pick<EngineDeps, 'clock' | 'log' | 'holds'>,
  ms: number,
  what: string,
  task: () => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await deps.clock.sleep(ms, signal);
    if (signal.aborted) return;
    if (!deps.holds()) continue;
    await task().catch((error: unknown) =>
      deps.log.warn({ what }, `upkeep failed: ${error instanceof Error ? error.message : String(error)}`),
    );
  }
}
