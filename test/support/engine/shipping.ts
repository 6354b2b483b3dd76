import type { ServiceConfig } from '../../../src/domain/project/project.ts';
import type { Rollout } from '../../../src/domain/rollout/rollout.ts';
import { deploy } from '../../../src/engine/operations/deploy.ts';
import { until } from '../../../src/engine/operations/until.ts';
import { project, service, type World } from './world.ts';

const LONG_MS = 172_800_000;

/** How tests of the engine ship something and see how far it came. `world` is asked for at each call. */
export function shipping(world: () => World) {
  const read = async (rollout: Rollout): Promise<Rollout> => (await world().store.rollout(rollout.id)) ?? rollout;

  const reach = (rollout: Rollout, test: (now: Rollout) => boolean, what: string): Promise<void> =>
    until(world().engine, async () => test(await read(rollout)), { what, timeoutMs: LONG_MS });

  return {
    read,
    reach,
    promoted: (rollout: Rollout): Promise<void> =>
      reach(rollout, (now) => now.phase === 'watching' || now.end !== null, 'promotion or an end'),
    ended: (rollout: Rollout): Promise<void> =>
      reach(rollout, (now) => now.end !== null && now.settled, 'a settled end'),
    /** Deploys the services of a file, or those of `names` only. */
    async ship(
      services: ServiceConfig[] = [service('api')],
      environment = {},
      names: string[] | null = null,
    ): Promise<Rollout> {
      const begun = await deploy(world().engine, {
        project: project(services, environment),
        services: names,
        onlyChanged: false,
        label: null,
        replace: false,
        keepFailed: null,
        by: 'ada',
      });
      if (begun.rollout === null) throw new Error('nothing was begun');
      return begun.rollout;
    },
    /** The releases that run, one for each instance, sorted. */
    async running(): Promise<string[]> {
      return (await world().runtime.observe({ project: 'shop', environment: 'production' }))
        .filter((each) => each.state === 'running')
        .map((each) => each.release)
        .toSorted();
    },
  };
}
