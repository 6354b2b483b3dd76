import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Rollout } from '../../src/domain/rollout/rollout.ts';
import { deploy } from '../../src/engine/operations/deploy.ts';
import { restart } from '../../src/engine/operations/restart.ts';
import { rollback } from '../../src/engine/operations/rollback.ts';
import { until } from '../../src/engine/operations/until.ts';
import type { JobSpec } from '../../src/ports/runtime.ts';
import { openWorld, policy, project, service, type World } from '../support/engine/world.ts';

const scope = { project: 'shop', environment: 'production' };

let world: World;
/** Every contract and migration that was started, in order. */
let jobs: JobSpec[];
beforeEach(async () => {
  world = await openWorld();
  jobs = [];
  world.behave.job = (spec) => {
    jobs.push(spec);
    return { kind: 'exit', code: 0 };
  };
});
afterEach(() => world.close());

const api = (over: Parameters<typeof service>[1] = {}) =>
  service('api', { migrate: 'expand', contract: 'contract', rollout: policy({ pauseMs: 120_000 }), ...over });

async function ship(config = api()): Promise<string> {
  const begun = await deploy(world.engine, {
    project: project([config]),
    services: null,
    onlyChanged: false,
    label: null,
    replace: false,
    keepFailed: null,
    by: 'ada',
  });
  return begun.rollout?.id ?? '';
}

const read = async (id: string): Promise<Rollout> => {
  const rollout = await world.store.rollout(id);
  if (rollout === null) throw new Error(`no rollout ${id}`);
  return rollout;
};

const when = (id: string, what: string, holds: (rollout: Rollout) => boolean): Promise<void> =>
  until(world.engine, async () => holds(await read(id)), { what, timeoutMs: 7 * 86_400_000 });

const settled = (id: string): Promise<void> => when(id, 'a settled end', (rollout) => rollout.settled);

const ask = async (rollout: string, kind: 'resume' | 'promote' | 'abort'): Promise<void> => {
  await world.store.addRequest({ rollout, kind, by: 'ada', at: world.clock.now(), comment: null, force: false });
  world.engine.wake(scope);
};

const back = (to: string | null) =>
  rollback(world.engine, { ...scope, service: 'api', all: false, to, comment: null, by: 'ada' });

const contracted = async (): Promise<string | null> =>
  (await world.store.deployments('shop', 'production'))[0]?.contracted ?? null;

const commands = (): string[] => jobs.map((each) => each.command);

describe('a contract', () => {
  test('runs once, after the window, with the code of the new release, and bars the way back', async () => {
    await settled(await ship());
    const second = await ship();
    await when(second, 'the window', (rollout) => rollout.phase === 'watching');
    expect(commands()).toEqual(['expand', 'contract', 'expand']);
    await settled(second);
    expect(commands()).toEqual(['expand', 'contract', 'expand', 'contract']);
    expect(jobs.at(-1)?.env['EVENKEEL_RELEASE']).toBe('api@2');
    expect(await read(second)).toMatchObject({
      end: 'complete',
      contract: { api: 'done' },
      reason: 'contracted api@2',
    });
    expect(await contracted()).toBe('api@2');
    const refusal = { code: 'past-contract', exit: 1, why: expect.stringContaining('api@1 is older than api@2') };
    await expect(back('api@1')).rejects.toMatchObject(refusal);
    await expect(back(null)).rejects.toMatchObject(refusal);
    // What is not older may be gone back to.
    await settled(await ship(api({ contract: undefined })));
    const again = await back('api@2');
    await settled(again.rollout?.id ?? '');
    expect(await read(again.rollout?.id ?? '')).toMatchObject({ kind: 'rollback', end: 'complete' });
    expect(commands()).toHaveLength(5);
  });

  test('that fails asks a person, and is run again, vouched for or left', async () => {
    await settled(await ship());
    let code = 1;
    world.behave.job = (spec) => {
      jobs.push(spec);
      return { kind: 'exit', code: spec.command === 'contract' ? code : 0 };
    };
    const failing = await ship();
    await when(failing, 'a pause', (rollout) => rollout.paused !== null);
    expect(await read(failing)).toMatchObject({
      phase: 'contracting',
      paused: { reason: 'contract', detail: expect.stringContaining('the contract of api@2 failed') },
      contract: { api: 'failed' },
    });
    // It may have taken half away: there is no way back although it failed.
    await expect(back('api@1')).rejects.toMatchObject({ code: 'past-contract' });
    await ask(failing, 'resume');
    await when(
      failing,
      'another pause',
      (rollout) => rollout.paused !== null && rollout.attempts['contract.api'] === 2,
    );
    code = 0;
    await ask(failing, 'resume');
    await settled(failing);
    expect(await read(failing)).toMatchObject({ end: 'complete', contract: { api: 'done' } });
    expect(jobs.filter(({ command }) => command === 'contract').map(({ id }) => id.split('contract.')[1])).toEqual([
      'api',
      'api',
      'api.2',
      'api.3',
    ]);

    code = 1;
    const vouched = await ship();
    await when(vouched, 'a pause', (rollout) => rollout.paused !== null);
    await ask(vouched, 'promote');
    await settled(vouched);
    expect(await read(vouched)).toMatchObject({ end: 'complete', contract: { api: 'done' }, waived: ['contract.api'] });

    const left = await ship();
    await when(left, 'a pause', (rollout) => rollout.paused !== null);
    await ask(left, 'abort');
    await settled(left);
    expect(await read(left)).toMatchObject({ end: 'complete', contract: { api: 'failed' } });
    expect((await read(left)).reason).toContain('aborted by ada; the contract of api@4 failed');
  });

  test('whose end nobody knows pauses, and a pause that nobody answers leaves it', async () => {
    world.behave.job = ({ command }) =>
      command === 'contract' ? { kind: 'unknown', reason: 'its machine lost power' } : { kind: 'exit', code: 0 };
    const id = await ship();
    await when(id, 'a pause', (rollout) => rollout.paused !== null);
    expect(await read(id)).toMatchObject({ paused: { reason: 'unknown-job' }, contract: { api: 'unknown' } });
    await settled(id);
    expect((await read(id)).reason).toContain('the contract of api@1 has an unknown end');
  });

  test('that takes too long is stopped, and asks a person', async () => {
    world.behave.job = ({ command }) =>
      command === 'contract' ? { kind: 'hang', heedsCancel: true } : { kind: 'exit', code: 0 };
    const id = await ship();
    await when(id, 'a pause', (rollout) => rollout.paused !== null);
    expect((await read(id)).paused?.detail).toContain('contracting took longer than its deadline of 10m');
    await until(world.engine, async () => (await world.jobs.observe(`${id}.contract.api`)).state === 'ended', {
      what: 'the job to be stopped',
      timeoutMs: 60_000,
    });
  });

  test('is not begun after a rollback, nor when a newer deploy comes within the window', async () => {
    await settled(await ship());
    const taken = await ship();
    await when(taken, 'the window', (rollout) => rollout.phase === 'watching');
    await back(null);
    await settled(taken);
    const superseded = await ship();
    await when(superseded, 'the window', (rollout) => rollout.phase === 'watching');
    const newer = await ship();
    await settled(superseded);
    expect((await read(superseded)).reason).toContain('the contract of api@3 has not begun');
    expect(await contracted()).toBe('api@1');
    await settled(newer);
    expect(await contracted()).toBe('api@4');
    expect(jobs.filter(({ command }) => command === 'contract').map(({ env }) => env['EVENKEEL_RELEASE'])).toEqual([
      'api@1',
      'api@4',
    ]);
  });

  test('is taken over by a restart within the window, and not repeated by a later one', async () => {
    const first = await ship();
    await when(first, 'the window', (rollout) => rollout.phase === 'watching');
    const again = async (): Promise<void> => {
      const { rollout } = await restart(world.engine, { ...scope, services: ['api'], by: 'ada' });
      await settled(rollout?.id ?? '');
    };
    await again();
    expect(await contracted()).toBe('api@2');
    await again();
    expect(commands()).toEqual(['expand', 'contract']);
  });

  test('and the migration of a newer deploy wait for each other', async () => {
    await settled(await ship());
    let hangs = true;
    world.behave.job = (spec) => {
      jobs.push(spec);
      return spec.command === 'contract' && hangs
        ? { kind: 'exit', code: 0, afterMs: 120_000 }
        : { kind: 'exit', code: 0 };
    };
    const first = await ship();
    await when(first, 'the contract to run', () => jobs.at(-1)?.id === `${first}.contract.api`);
    hangs = false;
    const second = await ship();
    await when(second, 'the migration to wait', (rollout) => rollout.phase === 'migrating');
    expect((await read(first)).end).toBe(null);
    await settled(second);
    const [contract, migration] = [`${first}.contract.api`, `${second}.migrate.api`];
    expect(jobs.map(({ id }) => id).slice(-3)).toEqual([contract, migration, `${second}.contract.api`]);
    // The one that ran was waited for, and what was written down says so.
    expect(await read(first)).toMatchObject({ end: 'complete', contract: { api: 'done' } });
  });

  test('lets a rollback to an older release that comes before its begin win', async () => {
    await settled(await ship(api({ contract: undefined })));
    // The former release does not stop, so the contract waits.
    world.behave.instance = () => ({ stopsAfterMs: null });
    const second = await ship();
    await when(second, 'the contract to be due', (rollout) => rollout.phase === 'contracting');
    expect((await read(second)).contract).toEqual({});
    const begun = await back('api@1');
    await when(second, 'its end', (rollout) => rollout.end === 'complete');
    expect((await read(second)).reason).toContain('the contract of api@2 has not begun');
    await when(begun.rollout?.id ?? '', 'the way back', (rollout) => rollout.phase === 'watching');
    expect(await contracted()).toBe(null);
  });
});
