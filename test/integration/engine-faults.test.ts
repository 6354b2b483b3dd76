import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Rollout } from '../../src/domain/rollout/rollout.ts';
import { collect } from '../../src/engine/housekeeping.ts';
import { deploy } from '../../src/engine/operations/deploy.ts';
import { down } from '../../src/engine/operations/down.ts';
import { rollback } from '../../src/engine/operations/rollback.ts';
import { until } from '../../src/engine/operations/until.ts';
import { EvenkeelError } from '../../src/ports/errors.ts';
import { shipping } from '../support/engine/shipping.ts';
import { openWorld, policy, project, service, type World } from '../support/engine/world.ts';

const scope = { project: 'shop', environment: 'production' };

let world: World;
beforeEach(async () => {
  world = await openWorld();
});
afterEach(() => world.close());

const { ship, reach, promoted, ended, read, running } = shipping(() => world);

describe('a secret that is not set', () => {
  const withSecret = { build: 'make', env: { TOKEN: [{ secret: 'TOKEN' }] } };
  beforeEach(() => {
    world.secrets.resolve = async () => {
      throw new EvenkeelError({ code: 'secret-missing', what: 'the secret TOKEN is not set', next: 'set it' });
    };
  });

  test('fails the rollout whose build needs it, at once and by its name', async () => {
    const rollout = await ship([service('api', withSecret)]);
    const begun = world.clock.now();
    await ended(rollout);
    expect((await read(rollout)).reason).toContain('the secret TOKEN is not set');
    expect(world.clock.now() - begun).toBeLessThan(60_000);
  });

  test('fails the rollout whose instances need it', async () => {
    // It was there for the build, and was removed before the start.
    let asked = 0;
    const missing = world.secrets.resolve;
    world.secrets.resolve = async (...about) => (asked++ === 0 ? {} : missing(...about));
    const rollout = await ship([service('api', withSecret)]);
    await ended(rollout);
    expect((await read(rollout)).reason).toContain('the secret TOKEN is not set');
  });
});

test('what cannot begin of one service does not keep a crashed copy of another from being started again', async () => {
  let crash = (): void => {};
  const crashed = new Promise<void>((resolve) => (crash = resolve));
  await promoted(await ship([service('api'), service('jobs', { kind: 'worker', routes: [] })], {}, ['api']));
  expect(await running()).toEqual(['api@1']);
  // The build of jobs cannot begin for as long as the disk is full.
  world.builder.start = async () => {
    crash();
    throw new EvenkeelError({ code: 'disk-full', what: 'no space is left', retryable: true });
  };
  await ship([service('api'), service('jobs', { kind: 'worker', routes: [] })], {}, ['jobs']);
  await crashed;
  const [first] = await world.runtime.observe(scope);
  world.runtime.crash(first?.id ?? '');
  await until(world.engine, async () => (await world.runtime.observe(scope)).some((each) => each.generation === 1), {
    what: 'the copy to be started again',
    timeoutMs: 60_000,
  });
});

test('an environment remembers no rollout and no release that is over, however many there were', async () => {
  const begun: Rollout[] = [];
  for (let count = 0; count < 5; count++) {
    const rollout = await ship([service('api')]);
    await ended(rollout);
    begun.push(rollout);
  }
  await world.clock.sleep(5_000);
  await until(world.engine, async () => begun.every((each) => world.engine.latest(each.id) === null), {
    what: 'them to be forgotten',
    timeoutMs: 60_000,
  });
});

describe('an environment that is brought down in a rollback window', () => {
  const slow = { rollout: policy({ rollbackWindowMs: 7 * 86_400_000 }) };
  const all = { ...scope, service: 'api', all: false, to: null, comment: null, by: 'ada' };

  async function downInWindow(): Promise<Rollout> {
    const first = await ship([service('api', slow)]);
    await promoted(first);
    const second = await ship([service('api', slow)]);
    await promoted(second);
    // The new release is quicker to stop than the former one, which looks well until the end.
    world.traffic.healthy = (id) => id.includes('api@1');
    await down(world.engine, { ...scope, by: 'ada' });
    return second;
  }

  test('comes up again with what served, whichever of its copies is the first to be stopped or to answer', async () => {
    const rollout = await downInWindow();
    expect(await read(rollout)).toMatchObject({ phase: 'watching', end: null });
    const up = deploy(world.engine, await nothingChanged());
    await until(world.engine, async () => (await running()).length === 2, { what: 'both to run', timeoutMs: 60_000 });
    await world.clock.sleep(2_000);
    await until(world.engine, async () => world.traffic.table.size === 1, { what: 'its routes', timeoutMs: 60_000 });
    world.traffic.healthy = () => true;
    expect(await up).toMatchObject({ rollout: null });
    await world.clock.sleep(5_000);
    expect(await read(rollout)).toMatchObject({ phase: 'watching', end: null });
  });

  test('says so to who would roll it back', async () => {
    await downInWindow();
    await expect(rollback(world.engine, all)).rejects.toMatchObject({ code: 'environment-down' });
  });

  /** `up` of what is recorded. */
  async function nothingChanged() {
    const release = await world.store.release('shop', 'api@2');
    world.builder.artifactOf = async () => release?.artifact ?? null;
    return {
      project: project([service('api', slow)]),
      services: null,
      onlyChanged: true,
      label: null,
      replace: false,
      keepFailed: null,
      by: 'ada',
    };
  }
});

test('the last good release can be gone back to after any number of failed attempts', async () => {
  const good = await ship([service('api')]);
  await ended(good);
  world.traffic.healthy = (id) => id.includes('api@1');
  const bad = service('api', { health: { path: '/', graceMs: 0, deadlineMs: 1_000, intervalMs: 100, timeoutMs: 100 } });
  for (let attempt = 0; attempt < 8; attempt++) await ended(await ship([bad]));
  world.traffic.healthy = () => true;
  const better = await ship([service('api')]);
  await ended(better);
  let kept = new Set<string>();
  world.builder.collect = async (keep) => {
    kept = keep;
    return { artifacts: 0, bytes: 0 };
  };
  await collect(world.engine.deps, { maintain: async () => {} });
  const artifact = async (id: string): Promise<string> => (await world.store.release('shop', id))?.artifact ?? '';
  expect(kept).toContain(await artifact('api@1'));
  expect(kept).toContain(await artifact('api@10'));
  expect(kept).not.toContain(await artifact('api@2'));
});

test('a port that the edge cannot have does not keep a copy that was started anew from its traffic', async () => {
  await promoted(await ship([service('api')]));
  world.traffic.takenPorts.add(9090);
  const moved = await ship([service('api')], { port: 9090 });
  await ended(moved);
  expect(await read(moved)).toMatchObject({ end: 'failed', reason: expect.stringContaining('9090 is in use') });
  const instance = (): { id: string; port: number } | undefined =>
    world.traffic.table.get('shop/production/api')?.config.releases[0]?.instances[0];
  const before = instance();
  world.runtime.crash(before?.id ?? '');
  await until(world.engine, async () => ![undefined, before?.id].includes(instance()?.id), {
    what: 'the new copy at the edge',
    timeoutMs: 60_000,
  });
  expect(world.traffic.table.get('shop/production/api')?.config).toMatchObject({
    routes: [{ port: 8080 }],
    releases: [{ release: 'api@1', weight: 100 }],
  });
});

test('a store that takes no more writes does not keep a crashed copy from being started again', async () => {
  const steps = policy({ canary: [{ weight: 10, forMs: 86_400_000 }] });
  await promoted(await ship([service('api', { rollout: steps })]));
  const second = await ship([service('api', { rollout: steps })]);
  await reach(second, (now) => now.phase === 'canary', 'the canary');
  const save = world.store.saveRollout.bind(world.store);
  world.store.saveRollout = async () => {
    throw new EvenkeelError({ code: 'store-full', what: 'the disk is full', exit: 2 });
  };
  // Something to decide and write at every look.
  await world.store.addRequest({
    rollout: second.id,
    kind: 'pause',
    by: 'ada',
    at: world.clock.now(),
    comment: null,
    force: false,
  });
  const former = (await world.runtime.observe(scope)).find((each) => each.release === 'api@1');
  world.runtime.crash(former?.id ?? '');
  await until(
    world.engine,
    async () => (await world.runtime.observe(scope)).some((each) => each.release === 'api@1' && each.generation === 1),
    { what: 'the copy to be started again', timeoutMs: 60_000 },
  );
  world.store.saveRollout = save;
  await reach(second, (now) => now.paused?.reason === 'operator', 'the pause, once it can be written');
});

test('a deploy that is refused has changed nothing, the public port neither', async () => {
  await promoted(await ship([service('api')]));
  world.builder.observe = async () => ({ state: 'running', detail: '' });
  await ship([service('api', { build: 'make' })]);
  const before = await world.store.environment('shop', 'production');
  await expect(ship([service('api')], { port: 9090 })).rejects.toMatchObject({ code: 'rollout-under-way' });
  expect(await world.store.environment('shop', 'production')).toEqual(before);
  expect(await world.store.release('shop', 'api@3')).toBeNull();
});

test('a copy that was wanted again while it drained has its whole drain the next time', async () => {
  const slow = { rollout: policy({ rollbackWindowMs: 0, drainMs: 600_000 }) };
  const draining = (): boolean =>
    world.traffic.table
      .get('shop/production/api')
      ?.config.releases.some((each) => each.release === 'api@1' && each.instances.some((one) => one.draining)) ?? false;
  await ended(await ship([service('api', slow)]));
  world.traffic.inFlight = (id) => (id.includes('api@1') ? 1 : 0);
  await promoted(await ship([service('api', slow)]));
  await until(world.engine, async () => draining(), { what: 'the former one to drain', timeoutMs: 60_000 });
  const back = await rollback(world.engine, {
    ...scope,
    service: 'api',
    all: false,
    to: 'api@1',
    comment: null,
    by: 'ada',
  });
  if (back.rollout === null) throw new Error('nothing was begun');
  await promoted(back.rollout);
  expect(draining()).toBe(false);
  await world.clock.sleep(3_600_000);
  const third = await ship([service('api', slow)]);
  await promoted(third);
  const start = world.clock.now();
  await ended(third);
  expect(world.clock.now() - start).toBeGreaterThan(500_000);
});
