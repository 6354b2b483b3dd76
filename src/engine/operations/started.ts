import { EvenkeelError } from '../../ports/errors.ts';
import type { EngineDeps } from '../deps.ts';
import type { Engine } from '../engine.ts';
import { until } from './until.ts';

const MARGIN_MS = 30_000;

/**
 * Waits until what was brought down serves again: every service has its routes at the edge, and somebody behind them.
 * Throws EvenkeelError `edge-refused`, or `timeout` when one of them does not become healthy within its deadline.
 */
export async function untilServing(engine: Engine, scope: { project: string; environment: string }): Promise<void> {
  const { deps } = engine;
  const deployments = await deps.store.deployments(scope.project, scope.environment);
  const ids = deployments.flatMap(({ current }) => current ?? []);
  const releases = (await Promise.all(ids.map((id) => deps.store.release(scope.project, id)))).flatMap(
    (each) => each ?? [],
  );
  const routed = releases.filter(({ config }) => config.kind !== 'worker');
  const condition = async (): Promise<boolean> => {
    const refusal = engine.refusal(scope);
    if (refusal === null) return serves(deps, scope, new Set(routed.map(({ id }) => id)));
    throw new EvenkeelError({
      code: 'edge-refused',
      what: `${scope.project} ${scope.environment} runs, and cannot be visited`,
      why: refusal,
      next: 'mend it and repeat `evenkeel up`; evenkeel status shows what runs',
      exit: 2,
    });
  };
  await until(engine, condition, {
    what: 'all services to be healthy',
    timeoutMs: Math.max(0, ...routed.map(({ config }) => config.health.deadlineMs)) + MARGIN_MS,
  });
}

async function serves(
  deps: Pick<EngineDeps, 'traffic'>,
  { project, environment }: { project: string; environment: string },
  releases: ReadonlySet<string>,
): Promise<boolean> {
  if (releases.size === 0) return true;
  const edge = await deps.traffic.state({ project, environment }).catch(() => null);
  const mine = edge?.services.filter(({ config }) => config.project === project && config.environment === environment);
  const well = (mine ?? []).flatMap(({ config, instances }) =>
    config.releases.filter(
      (each) =>
        each.weight > 0 &&
        (each.static !== null ||
          each.instances.some(({ id }) => instances.some((one) => one.id === id && one.healthy))),
    ),
  );
  return [...releases].every((id) => well.some(({ release }) => release === id));
}
