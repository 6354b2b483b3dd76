import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { deploy } from '../../src/engine/operations/deploy.ts';
import { down } from '../../src/engine/operations/down.ts';
import { rollback } from '../../src/engine/operations/rollback.ts';
import type { Project } from '../../src/domain/project/project.ts';
import type { Rollout } from '../../src/domain/rollout/rollout.ts';
import { shipping } from '../support/engine/shipping.ts';
import { openWorld, policy, project, service, type World } from '../support/engine/world.ts';

const scope = { project: 'shop', environment: 'production' };
const moved = { port: 9090, bind: '0.0.0.0' };

let world: World;
beforeEach(async () => {
  world = await openWorld();
});
afterEach(() => world.close());

const { ship, promoted, ended, read, reach } = shipping(() => world);

const begin = (file: Project, over = {}): ReturnType<typeof deploy> =>
  deploy(world.engine, {
    project: file,
    services: null,
    onlyChanged: false,
    label: null,
    replace: false,
    keepFailed: null,
    by: 'ada',
    ...over,
  });

/** Where the edge has opened the routes of a service, such as `127.0.0.1:8080`. */
const openAt = (name: string): string[] =>
  world.traffic.table.get(`shop/production/${name}`)?.config.routes.map(({ port, bind }) => `${bind}:${port}`) ?? [];

const promotedPort = async (): Promise<number | undefined> =>
  (await world.store.environment('shop', 'production'))?.config.environment.port;

/** From now on what serves is what the file says, unless the configuration differs. */
function nothingToBuild(): void {
  world.builder.inputDigest = async (_root, { name }) => name;
  world.builder.artifactOf = async (name) =>
    (await world.store.releases({ ...scope, service: name })).find((each) => each.artifact !== null)?.artifact ?? null;
}

describe('the public port of an environment', () => {
  const services = [service('api', { routes: [{ host: null, path: '/api' }] }), service('web')];

  test('moves for all services at once, when the rollout is promoted and not before', async () => {
    await promoted(await ship(services));
    world.builder.observe = async () => ({ state: 'running', detail: '' });
    const next = await ship(
      [service('api', { routes: [{ host: null, path: '/api' }], build: 'make' }), services[1]!],
      moved,
    );
    await reach(next, (now) => now.phase === 'building', 'the build');
    await world.clock.sleep(10_000);
    expect(openAt('web')).toEqual(['127.0.0.1:8080']);
    expect(await promotedPort()).toBe(8080);
    world.builder.observe = async () => ({ state: 'done', artifact: 'sha-new', reused: false, detail: '' });
    await promoted(next);
    expect([openAt('api'), openAt('web')]).toEqual([['0.0.0.0:9090'], ['0.0.0.0:9090']]);
    expect(await promotedPort()).toBe(9090);
  });

  test.each(['failed', 'aborted'])('stays as it was through a rollout that is %s', async (end) => {
    await promoted(await ship(services));
    if (end === 'failed') world.traffic.healthy = (id) => !id.includes('@2');
    else world.builder.observe = async () => ({ state: 'running', detail: '' });
    world.builder.cancel = async () => {
      world.builder.observe = async () => ({ state: 'failed', detail: 'cancelled' });
    };
    const next = await ship(services, moved);
    if (end === 'aborted') {
      const request = { kind: 'abort' as const, by: 'ada', at: 0, comment: null, force: false };
      await world.store.addRequest({ rollout: next.id, ...request });
    }
    await ended(next);
    expect((await read(next)).end).toBe(end);
    expect([openAt('api'), openAt('web')]).toEqual([['127.0.0.1:8080'], ['127.0.0.1:8080']]);
    expect(await promotedPort()).toBe(8080);
  });

  test('that cannot be had at the switch fails the rollout, and the former one is open', async () => {
    await promoted(await ship(services));
    world.traffic.takenPorts.add(9090);
    const next = await ship(services, moved);
    await ended(next);
    expect(await read(next)).toMatchObject({ end: 'failed', reason: expect.stringContaining('9090 is in use') });
    expect(openAt('web')).toEqual(['127.0.0.1:8080']);
    expect(await promotedPort()).toBe(8080);
  });

  test('goes back with a rollback, while the former release is hot', async () => {
    await promoted(await ship(services));
    const next = await ship(services, moved);
    await promoted(next);
    await rollback(world.engine, { ...scope, service: null, all: true, to: null, comment: null, by: 'ada' });
    await ended(next);
    expect([openAt('api'), openAt('web')]).toEqual([['127.0.0.1:8080'], ['127.0.0.1:8080']]);
    expect(await promotedPort()).toBe(8080);
  });

  test('that is all that changed moves alone: nothing is built, nothing is started anew', async () => {
    await ended(await ship(services));
    nothingToBuild();
    const { rollout, message } = await begin(project(services, moved), { onlyChanged: true });
    expect(rollout).toMatchObject({ services: [], opens: { to: moved } });
    expect(message).toContain('moves from 127.0.0.1:8080 to 0.0.0.0:9090');
    await promoted(rollout as Rollout);
    expect(openAt('web')).toEqual(['0.0.0.0:9090']);
    expect(await world.store.releases(scope)).toHaveLength(2);
    await ended(rollout as Rollout);
    expect((await begin(project(services, moved), { onlyChanged: true })).rollout).toBeNull();
  });

  test('that is all that changed, and cannot be had, stays', async () => {
    await ended(await ship(services));
    nothingToBuild();
    world.traffic.takenPorts.add(9090);
    const { rollout } = await begin(project(services, moved), { onlyChanged: true });
    await ended(rollout as Rollout);
    expect(await read(rollout as Rollout)).toMatchObject({ end: 'failed', reason: expect.stringContaining('in use') });
    expect(openAt('web')).toEqual(['127.0.0.1:8080']);
  });
});

describe('a service that is taken out of the file', () => {
  const all = [service('api', { routes: [{ host: null, path: '/api' }] }), service('web')];
  const without = [service('api', { routes: [{ host: null, path: '/api' }] })];
  const quick = (services: typeof all) =>
    services.map((each) => ({ ...each, rollout: policy({ rollbackWindowMs: 0 }) }));
  const releasesOf = async (name: string) =>
    (await world.store.releases({ ...scope, service: name })).map(({ id }) => id);
  const current = async () =>
    Object.fromEntries(
      (await world.store.deployments('shop', 'production')).map((each) => [each.service, each.current]),
    );

  test('is the only one that an `up` touches, and a rollback has it back', async () => {
    await ended(await ship(all));
    nothingToBuild();
    const { rollout } = await begin(project(without), { onlyChanged: true });
    expect(rollout).toMatchObject({ services: [], removes: [{ service: 'web', release: 'web@1' }] });
    await promoted(rollout as Rollout);
    expect(await releasesOf('api')).toEqual(['api@1']);
    expect([openAt('api'), openAt('web')]).toEqual([['127.0.0.1:8080'], []]);
    expect((await begin(project(without), { onlyChanged: true })).rollout).toBeNull();

    const back = await rollback(world.engine, {
      ...scope,
      service: 'web',
      all: false,
      to: null,
      comment: null,
      by: 'ada',
    });
    expect(back.message).toBe('web@1 has all traffic again');
    expect(openAt('web')).toEqual(['127.0.0.1:8080']);
    expect(await current()).toEqual({ api: 'api@1', web: 'web@1' });
  });

  test('waits for approval where approvals are asked for', async () => {
    await ended(await ship(all));
    nothingToBuild();
    const { rollout } = await begin(project(without, { approve: { people: 1 } }), { onlyChanged: true });
    await reach(rollout as Rollout, (now) => now.paused?.reason === 'approval', 'the gate');
    expect(openAt('web')).toEqual(['127.0.0.1:8080']);
  });

  test('is not brought back by `rollback --all` after the window', async () => {
    await ended(await ship(quick(all)));
    await ended(await ship(quick(all)));
    await ended(await ship(quick(all), {}, ['api', 'web']));
    nothingToBuild();
    const { rollout } = await begin(project(quick(without)), { onlyChanged: true });
    await ended(rollout as Rollout);
    const everything = { ...scope, service: null, all: true, to: null, comment: null, by: 'ada' };
    await expect(rollback(world.engine, everything)).rejects.toMatchObject({
      code: 'nothing-to-roll-back',
      message: 'web was taken down and stays so',
    });
    const both = await rollback(world.engine, { ...everything, service: 'api', all: false });
    expect(both.rollout?.services.map((each) => each.to)).toEqual(['api@2']);
    await ended(both.rollout as Rollout);
    expect(await current()).toEqual({ api: 'api@2', web: null });
  });

  test('and a newer release of another beside it: the other goes back, the service stays away, and it is said', async () => {
    await ended(await ship(quick(all)));
    await ended(await ship(quick(without)));
    const back = await rollback(world.engine, {
      ...scope,
      service: null,
      all: true,
      to: null,
      comment: null,
      by: 'ada',
    });
    expect(back.message).toBe('rollback to api@1 by ada; web was taken down and stays so');
    await ended(back.rollout as Rollout);
    expect(await current()).toEqual({ api: 'api@1', web: null });
  });
});

test('a hot former release is gone back to at once by its label, as by its number', async () => {
  await ended(await ship([service('api')]));
  const first = await begin(project([service('api')]), { label: 'v1' });
  await ended(first.rollout as Rollout);
  const second = await begin(project([service('api')]), { label: 'v2' });
  await promoted(second.rollout as Rollout);
  const back = await rollback(world.engine, {
    ...scope,
    service: 'api',
    all: false,
    to: 'v1',
    comment: null,
    by: 'ada',
  });
  expect(back.rollout).toMatchObject({ id: second.rollout?.id, end: 'rolled-back' });
  expect(back.message).toBe('api@2 has all traffic again');
});

test('an up of what was brought down answers once it serves, or says that it does not', async () => {
  await ended(await ship([service('api')]));
  world.builder.inputDigest = async () => 'same';
  world.builder.artifactOf = async () => (await world.store.release('shop', 'api@1'))?.artifact ?? null;
  await down(world.engine, { ...scope, by: 'ada' });
  const again = await begin(project([service('api')]), { onlyChanged: true });
  expect(again).toEqual({ rollout: null, message: 'nothing changed; started again' });
  expect(openAt('api')).toEqual(['127.0.0.1:8080']);
  expect((await world.traffic.state()).services[0]?.instances).toMatchObject([{ healthy: true }]);
  await down(world.engine, { ...scope, by: 'ada' });
  world.traffic.healthy = () => false;
  await expect(begin(project([service('api')]), { onlyChanged: true })).rejects.toMatchObject({
    code: 'timeout',
    exit: 2,
  });
});

test('what was brought down comes up where the file says, or tells why it cannot be visited there', async () => {
  await ended(await ship([service('api')]));
  world.builder.inputDigest = async () => 'same';
  world.builder.artifactOf = async () => (await world.store.release('shop', 'api@1'))?.artifact ?? null;
  await down(world.engine, { ...scope, by: 'ada' });
  expect(await begin(project([service('api')], moved), { onlyChanged: true })).toMatchObject({ rollout: null });
  expect(openAt('api')).toEqual(['0.0.0.0:9090']);
  await down(world.engine, { ...scope, by: 'ada' });
  world.traffic.takenPorts.add(7070);
  const file = project([service('api')], { port: 7070 });
  await expect(begin(file, { onlyChanged: true })).rejects.toMatchObject({
    code: 'edge-refused',
    why: '7070 is in use',
  });
});

test('another address of the same port is refused at once while it is open, with the way to it', async () => {
  await promoted(await ship([service('api')]));
  world.builder.built = [];
  await expect(begin(project([service('api')], { bind: '0.0.0.0' }))).rejects.toMatchObject({
    code: 'port-taken',
    next: expect.stringContaining('evenkeel down --env production'),
    exit: 1,
  });
  expect(world.builder.built).toEqual([]);
  await down(world.engine, { ...scope, by: 'ada' });
  const { rollout } = await begin(project([service('api')], { bind: '0.0.0.0' }));
  await promoted(rollout as Rollout);
  expect(openAt('api')).toEqual(['0.0.0.0:8080']);
});
