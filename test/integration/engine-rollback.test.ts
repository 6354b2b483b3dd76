import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Rollout } from '../../src/domain/rollout/rollout.ts';
import { deploy } from '../../src/engine/operations/deploy.ts';
import { restart } from '../../src/engine/operations/restart.ts';
import { rollback } from '../../src/engine/operations/rollback.ts';
import { until } from '../../src/engine/operations/until.ts';
import { openWorld, project, service, type World } from '../support/engine/world.ts';

const scope = { project: 'shop', environment: 'production' };

let world: World;
beforeEach(async () => {
  world = await openWorld();
});
afterEach(() => world.close());

const over = (rollout: Rollout | null): Promise<void> =>
  until(world.engine, async () => (await world.store.rollout(rollout?.id ?? ''))?.settled === true, {
    what: 'a settled end',
    timeoutMs: 86_400_000,
  });

/** Ships api until its rollback window is over; a bad one never becomes healthy. */
async function ship(label: string, bad = false): Promise<void> {
  world.traffic.healthy = (id) => !bad || !id.includes('api@');
  const health = { path: '/', graceMs: 0, deadlineMs: 1_000, intervalMs: 100, timeoutMs: 100 };
  const begun = await deploy(world.engine, {
    project: project([service('api', bad ? { health } : {})]),
    services: null,
    onlyChanged: false,
    label,
    replace: false,
    keepFailed: null,
    by: 'ada',
  });
  await over(begun.rollout);
  world.traffic.healthy = () => true;
}

const back = (to: string | null) =>
  rollback(world.engine, { ...scope, service: 'api', all: false, to, comment: null, by: 'ada' });

test('a rollback that is asked for once more, its answer lost, does not go back twice', async () => {
  await ship('v1');
  await ship('v2');
  const third = await deploy(world.engine, {
    project: project([service('api')]),
    services: null,
    onlyChanged: false,
    label: 'v3',
    replace: false,
    keepFailed: null,
    by: 'ada',
  });
  await until(world.engine, async () => (await world.store.rollout(third.rollout?.id ?? ''))?.phase === 'watching', {
    what: 'promotion',
    timeoutMs: 86_400_000,
  });
  await back(null);
  const again = await back(null);
  expect(again).toMatchObject({ rollout: { id: third.rollout?.id, end: 'rolled-back' } });
  expect(again.message).toContain('api@2 serves already, api@3 was taken back');
  const serving = await world.store.deployments(scope.project, scope.environment);
  expect(serving.map((each) => each.current)).toEqual(['api@2']);
  const further = await back('api@1');
  expect(further.rollout?.services.map((each) => each.to)).toEqual(['api@1']);
});

describe('a rollback after the window', () => {
  test('to a label goes to the release of that name that has served, not to one that failed', async () => {
    await ship('1.0.0');
    await ship('1.0.0', true);
    await ship('1.1.0');
    expect((await back('1.0.0')).rollout?.services).toMatchObject([{ from: 'api@3', to: 'api@1' }]);
  });

  test('to a label that serves now as well goes to the other one', async () => {
    await ship('1.0.0');
    await ship('1.0.0');
    expect((await back('1.0.0')).rollout?.services).toMatchObject([{ from: 'api@2', to: 'api@1' }]);
  });

  test('to a label of several releases that served asks which', async () => {
    for (const label of ['1.0.0', '1.0.0', '1.1.0']) await ship(label);
    await expect(back('1.0.0')).rejects.toMatchObject({
      code: 'release-ambiguous',
      message: 'api@2, api@1 of api are all called 1.0.0',
      exit: 1,
    });
  });

  test('goes behind a restart, which brought nothing new', async () => {
    await ship('1.0.0');
    await ship('1.1.0');
    await over((await restart(world.engine, { ...scope, services: ['api'], by: 'ada' })).rollout);
    expect((await back(null)).rollout?.services).toMatchObject([{ from: 'api@3', to: 'api@1' }]);
  });

  test('of a first release says that there is nothing before it', async () => {
    await ship('1.0.0');
    await expect(back(null)).rejects.toMatchObject({ code: 'release-unknown' });
    await over((await restart(world.engine, { ...scope, services: ['api'], by: 'ada' })).rollout);
    await expect(back(null)).rejects.toMatchObject({ code: 'release-unknown' });
  });
});
