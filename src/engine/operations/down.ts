import type { Scope } from '../../domain/project/scope.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import type { EngineDeps } from '../deps.ts';
import type { Engine } from '../engine.ts';
import { until } from './until.ts';

const MARGIN_MS = 30_000;

/**
 * Stops everything of an environment: traffic first, then instances after their drain. Releases, data and history
 * stay; `up` starts the same again. Answers how many instances were stopped.
 */
export async function down(
  engine: Engine,
  input: { project: string; environment: string; by: string },
): Promise<{ stopped: number }> {
  const { deps } = engine;
  const record = await deps.store.environment(input.project, input.environment);
  if (record === null)
    throw new EvenkeelError({
      code: 'environment-unknown',
      what: `nothing was ever brought up as ${input.project} ${input.environment}`,
      next: 'evenkeel status shows what is there',
    });
  const active = (
    await deps.store.rollouts({ project: input.project, environment: input.environment, unsettled: true })
  ).filter((each) => each.end === null && each.phase !== 'watching');
  for (const rollout of active)
    await deps.store.addRequest({
      rollout: rollout.id,
      kind: 'abort',
      by: input.by,
      at: deps.clock.now(),
      comment: 'the environment is brought down',
      force: false,
    });
  const running = (await deps.runtime.observe(input)).filter((each) => each.state !== 'ended').length;
  await deps.store.saveEnvironment({ ...record, wanted: 'down', updatedAt: deps.clock.now() }, { keepListen: true });
  engine.wake(input);
  const longest = Math.max(0, ...record.config.services.map((each) => each.rollout.drainMs + each.stopGraceMs));
  await until(
    engine,
    async () => (await nothingRuns(deps, input)) && (await noRun(deps, input)) && (await nothingIsRouted(deps, input)),
    {
      what: 'all instances to stop',
      timeoutMs: longest + MARGIN_MS,
    },
  );
  return { stopped: running };
}

const nothingRuns = async (deps: EngineDeps, scope: Scope): Promise<boolean> =>
  (await deps.runtime.observe(scope)).every((each) => each.state === 'ended');

const noRun = async (deps: EngineDeps, { project, environment }: Scope): Promise<boolean> =>
  (await deps.store.runs({ project, environment, running: true })).length === 0;

/** Static services have no instances whose end would tell. An edge that is away serves nobody. */
async function nothingIsRouted(deps: EngineDeps, { project, environment }: Scope): Promise<boolean> {
  const edge = await deps.traffic.state({ project, environment }).catch(() => null);
  return edge?.services.every(({ config }) => config.project !== project || config.environment !== environment) ?? true;
}
