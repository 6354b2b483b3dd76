import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { EvidenceReport } from '../../src/domain/analysis/evidence.ts';
import type { Rollout } from '../../src/domain/rollout/rollout.ts';
import { deploy } from '../../src/engine/operations/deploy.ts';
import { down } from '../../src/engine/operations/down.ts';
import { rollback } from '../../src/engine/operations/rollback.ts';
import { shipping } from '../support/engine/shipping.ts';
import { openWorld, policy, project, service, type World } from '../support/engine/world.ts';

const scope = { project: 'shop', environment: 'production' };

let world: World;
beforeEach(async () => {
  world = await openWorld();
});
afterEach(() => world.close());

const { ship, reach, promoted, ended, read, running } = shipping(() => world);
const weights = (name: string): Record<string, number> =>
  Object.fromEntries(
    world.traffic.table.get(`shop/production/${name}`)?.config.releases.map((each) => [each.release, each.weight]) ??
      [],
  );

function evidence(
  rollout: Rollout,
  name: string,
  counts: { canary: number; baseline: number; bad: number; weight: number },
): EvidenceReport {
  const arm = (requests: number, bad: number) => ({
    requests,
    sessions: requests,
    bad,
    slowP75: 0,
    slowP95: 0,
    ttfb: [100, requests],
  });
  return {
    epoch: 'one',
    sequence: counts.canary,
    rollout: `${rollout.id}/${name}`,
    metrics: {
      errors: counts.bad === 0 ? [] : [{ weight: counts.weight, canary: counts.bad, baseline: 0 }],
      slowP75: [],
      slowP95: [],
    },
    arms: { canary: arm(counts.canary, counts.bad), baseline: arm(counts.baseline, 0) },
  };
}

describe('a first deploy', () => {
  test('is built, started, verified, and serves', async () => {
    const rollout = await ship();
    await promoted(rollout);
    expect(await read(rollout)).toMatchObject({ phase: 'watching', end: null });
    expect(weights('api')).toEqual({ 'api@1': 100 });
    expect(await running()).toEqual(['api@1']);
    expect(world.builder.built).toEqual(['api']);
    const story = await world.store.journal(rollout.id);
    expect(story.map((each) => each.to)).toEqual([
      'pending',
      'building',
      'starting',
      'migrating',
      'verifying',
      'promoting',
      'watching',
    ]);
  });

  test('runs its migration once, before its instances', async () => {
    const order: string[] = [];
    world.behave.job = (spec) => {
      order.push(`job ${spec.command}`);
      return { kind: 'exit', code: 0, afterMs: 2_000 };
    };
    world.behave.instance = (spec) => {
      order.push(`instance ${spec.release}`);
      return {};
    };
    await promoted(await ship([service('api', { migrate: 'npm run migrate' })]));
    expect(order).toEqual(['job npm run migrate', 'instance api@1']);
  });

  test('that never becomes healthy fails, and leaves nothing running', async () => {
    world.traffic.healthy = () => false;
    const rollout = await ship();
    await ended(rollout);
    expect(await read(rollout)).toMatchObject({ end: 'failed' });
    expect((await read(rollout)).reason).toContain('not healthy for 60 s');
    expect(await running()).toEqual([]);
  });

  test('that crashes again and again fails with the exit code', async () => {
    world.behave.instance = () => ({ ends: { afterMs: 200, end: { kind: 'exit', code: 7 } } });
    world.traffic.healthy = () => false;
    const rollout = await ship();
    await ended(rollout);
    expect((await read(rollout)).reason).toContain('exit code 7');
  });

  test('whose build fails says so', async () => {
    world.builder.outcome = () => ({ state: 'failed', detail: 'exit code 1: no such file' });
    const rollout = await ship();
    await ended(rollout);
    expect(await read(rollout)).toMatchObject({
      end: 'failed',
      reason: 'build of api@1 failed: exit code 1: no such file',
    });
  });
});

describe('a second release', () => {
  const canary = policy({
    canary: [
      { weight: 10, forMs: 60_000 },
      { weight: 50, forMs: 30_000 },
    ],
  });
  const api = service('api', { rollout: canary });

  async function shipped(): Promise<void> {
    const first = await ship([api]);
    await promoted(first);
    await ended(first);
  }

  test('goes through its canary to 100 %, and the former one stays hot for the window', async () => {
    await shipped();
    const rollout = await ship([api]);
    await reach(rollout, (now) => now.phase === 'canary', 'the canary');
    expect(weights('api')).toEqual({ 'api@1': 90, 'api@2': 10 });
    world.traffic.evidence = [evidence(rollout, 'api', { canary: 500, baseline: 4_500, bad: 0, weight: 10 })];
    await promoted(rollout);
    expect(await read(rollout)).toMatchObject({ phase: 'watching', end: null });
    expect(weights('api')).toEqual({ 'api@1': 0, 'api@2': 100 });
    expect(await running()).toEqual(['api@1', 'api@2']);
    world.traffic.evidence = [];
    await ended(rollout);
    expect(await read(rollout)).toMatchObject({ end: 'complete' });
    expect(await running()).toEqual(['api@2']);
  });

  test('that is proven worse is taken back by itself', async () => {
    await shipped();
    const rollout = await ship([api]);
    await reach(rollout, (now) => now.phase === 'canary', 'the canary');
    world.traffic.evidence = [evidence(rollout, 'api', { canary: 100, baseline: 900, bad: 8, weight: 10 })];
    await ended(rollout);
    expect(await read(rollout)).toMatchObject({ end: 'failed', settled: true });
    expect((await read(rollout)).reason).toContain('breaks its limit');
    expect(weights('api')).toEqual({ 'api@1': 100 });
    expect(await running()).toEqual(['api@1']);
  });

  test('without traffic pauses instead of passing, and a person promotes it', async () => {
    await shipped();
    const rollout = await ship([api]);
    await reach(rollout, (now) => now.paused !== null, 'a pause');
    expect((await read(rollout)).paused).toMatchObject({ reason: 'inconclusive' });
    await world.store.addRequest({
      rollout: rollout.id,
      kind: 'promote',
      by: 'ada',
      at: world.clock.now(),
      comment: null,
      force: false,
    });
    world.engine.wake(scope);
    await promoted(rollout);
    expect(weights('api')).toMatchObject({ 'api@2': 100 });
  });

  test('is rolled back at once while its former release is hot', async () => {
    await shipped();
    const rollout = await ship([service('api')]);
    await promoted(rollout);
    const starts = world.runtime.started.length;
    const back = await rollback(world.engine, {
      ...scope,
      service: 'api',
      all: false,
      to: null,
      comment: null,
      by: 'ada',
    });
    expect(back.message).toContain('api@1 has all traffic again');
    expect(weights('api')['api@1']).toBe(100);
    expect(world.runtime.started.length).toBe(starts);
    await ended(rollout);
    expect(await read(rollout)).toMatchObject({ end: 'rolled-back' });
    expect(await running()).toEqual(['api@1']);
  });

  test('is rolled back cold, with the old artifact and its old configuration, after the window', async () => {
    await shipped();
    const rollout = await ship([service('api', { instances: 3 })]);
    await ended(rollout);
    const back = await rollback(world.engine, {
      ...scope,
      service: 'api',
      all: false,
      to: null,
      comment: 'slow',
      by: 'ada',
    });
    if (back.rollout === null) throw new Error('nothing was begun');
    await promoted(back.rollout);
    expect(weights('api')).toEqual({ 'api@2': 0, 'api@1': 100 });
    await ended(back.rollout);
    expect(await running()).toEqual(['api@1']);
    expect(world.builder.built).toEqual(['api', 'api']);
  });

  test('is refused while another is under way, unless it replaces it', async () => {
    await shipped();
    const rollout = await ship([api]);
    await expect(ship([api])).rejects.toMatchObject({ code: 'rollout-under-way' });
    const next = await deploy(world.engine, {
      project: project([api]),
      services: ['api'],
      onlyChanged: false,
      label: 'v3',
      replace: true,
      keepFailed: null,
      by: 'bob',
    });
    expect(await read(rollout)).toMatchObject({ end: 'aborted' });
    expect(next.rollout).not.toBeNull();
  });

  test('waits for approvals with the canary judged meanwhile', async () => {
    await shipped();
    const rollout = await ship([api], { approve: { people: 1 } });
    await reach(rollout, (now) => now.phase === 'canary', 'the canary');
    world.traffic.evidence = [evidence(rollout, 'api', { canary: 500, baseline: 4_500, bad: 0, weight: 10 })];
    await reach(rollout, (now) => now.paused?.reason === 'approval', 'the gate');
    world.traffic.evidence = [evidence(rollout, 'api', { canary: 600, baseline: 4_600, bad: 60, weight: 50 })];
    await ended(rollout);
    expect(await read(rollout)).toMatchObject({ end: 'failed' });
  });
});

test('down stops everything and up starts the same again', async () => {
  const first = await ship();
  await promoted(first);
  expect(await down(world.engine, { ...scope, by: 'ada' })).toEqual({ stopped: 1 });
  expect(await running()).toEqual([]);
  expect(world.traffic.table.size).toBe(0);
});
