import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { RolloutView } from '../../src/api/contract/rollouts.ts';
import { app, folder, type FolderOptions } from '../support/bad/app.ts';
import { begin, run } from '../support/bad/command.ts';
import { environmentOf, processesIn } from '../support/bad/processes.ts';
import { errorOf, newestRollout, sharedSystem, told, up } from '../support/bad/shared-system.ts';
import { visit } from '../support/bad/visitors.ts';
import { openHome } from '../support/evenkeel-home.ts';
import { tempDir } from '../support/temp.ts';
import { waitFor } from '../support/wait.ts';

const system = sharedSystem();

const LONG_CANARY = ['canary: [{ weight: 20, for: 1h }]', 'onInconclusive: pause'];

describe('a deploy while another is under way', () => {
  test('is refused, with what to do; --replace takes the other back first', async () => {
    const shop = await folder({ name: 'busy', rollout: LONG_CANARY });
    await up(system, shop);
    shop.program(app('v2'));
    const begun = await system.cli(['deploy', 'api', '--wait', 'none'], { cwd: shop.root });
    expect(begun.code, told(begun)).toBe(0);
    const { id } = await newestRollout(system, 'busy');
    await system.reach(id, (each) => each.phase === 'canary', 'its canary');

    shop.program(app('v3'));
    const refused = await system.cli(['deploy', 'api', '--json'], { cwd: shop.root });
    expect(refused.code, told(refused)).toBe(1);
    const { code, next, what } = errorOf(refused);
    expect(code).toBe('rollout-under-way');
    expect(what).toContain(id);
    for (const way of ['evenkeel watch', 'evenkeel abort', '--replace']) expect(next).toContain(way);
    expect(await system.rollout(id)).toMatchObject({ phase: 'canary', end: null });

    const replacing = await system.cli(['deploy', 'api', '--replace', '--wait', 'none'], { cwd: shop.root });
    expect(replacing.code, told(replacing)).toBe(0);
    expect(await system.rollout(id)).toMatchObject({ end: 'aborted' });
    const other = (await newestRollout(system, 'busy')).id;
    expect(other).not.toBe(id);
    await system.reach(other, (each) => each.phase === 'canary', 'the canary of the other');
    const promoted = await system.cli(['promote', other], { cwd: shop.root });
    expect(promoted.code, told(promoted)).toBe(0);
    expect(await visit(shop.port)).toMatchObject({ status: 200, version: 'v3' });
  });

  test('in its rollback window takes its place, and that is no failure', async () => {
    const shop = await folder({ name: 'window' });
    await up(system, shop);
    const first = (await newestRollout(system, 'window')).id;
    shop.program(app('v2'));
    await up(system, shop);
    await system.reach(first, (each) => each.end === 'complete', 'the first to be complete');
    expect(await visit(shop.port)).toMatchObject({ version: 'v2' });
  });
});

describe('two `up` at once', () => {
  test('start one server and one rollout, and both come to an end', async () => {
    const home = openHome(tempDir('two'));
    try {
      const shop = await folder({ name: 'two' });
      const both = await Promise.all([run(home.env, ['up'], shop.root), run(home.env, ['up'], shop.root)]);
      const codes = new Set(both.map(({ code }) => code));
      // The second may come too late to find nothing to do, and too early to find the first one's end.
      expect(codes.has(0) && [...codes].every((code) => code === 0 || code === 1), both.map(told).join('\n')).toBe(
        true,
      );
      for (const each of both.filter(({ code }) => code === 1)) expect(told(each)).toContain('(rollout-under-way)');
      expect(keepersOf(home.paths.home)).toHaveLength(1);
      const { rollouts } = await home.get<{ rollouts: RolloutView[] }>('/api/v1/rollouts?project=two');
      expect(rollouts).toHaveLength(1);
      expect(await visit(shop.port)).toMatchObject({ status: 200, version: 'v1' });
    } finally {
      await home.stop();
    }
  });
});

const keepersOf = (home: string): { pid: number }[] =>
  processesIn(home, 'keeper').filter(({ pid }) => environmentOf(pid).includes(`EVENKEEL_HOME=${home}\0`));

/** What holds a rollout in each phase, for as long as nobody lets it go. */
const HOLDS: Record<
  string,
  { options: (gate: string) => FolderOptions; program?: string; at: (each: RolloutView) => boolean }
> = {
  building: {
    options: (gate) => ({ service: [`build: 'while [ ! -e ${gate} ]; do sleep 0.05; done'`] }),
    at: ({ phase }) => phase === 'building',
  },
  // One that waits for another new one is not started before that is verified.
  verifying: {
    options: () => ({}),
    program: 'health = (request, response) => { response.statusCode = 503; response.end(); };',
    at: ({ phase }) => phase === 'verifying',
  },
  smoke: {
    options: (gate) => ({ service: [`smoke: { run: 'while [ ! -e ${gate} ]; do sleep 0.05; done' }`] }),
    at: ({ phase }) => phase === 'verifying',
  },
  canary: { options: () => ({ rollout: LONG_CANARY }), at: ({ phase }) => phase === 'canary' },
  approval: {
    options: () => ({ environment: ['approve: { people: 1 }'] }),
    at: ({ paused }) => paused?.reason === 'approval',
  },
};

describe('an abort', () => {
  test.each(Object.keys(HOLDS))('during %s takes it back, and leaves nothing running', async (name) => {
    const hold = HOLDS[name];
    if (hold === undefined) throw new Error(name);
    const shop = await folder({ name: `abort-${name}` });
    await up(system, shop);
    const gate = join(tempDir('gate'), 'go');
    shop.program(app('v2', hold.program ?? ''));
    shop.configure({ name: `abort-${name}`, ...hold.options(gate) });
    const deploy = begin(system.env, ['deploy', 'api'], shop.root);
    const { id } = await waitFor(
      async () => {
        const last = await newestRollout(system, shop.project);
        return last.services[0]?.to === 'api@2' && hold.at(last) ? last : null;
      },
      { what: `it to be held in ${name}`, timeout: 30_000 },
    );
    // Who waits for a person does not wait at a terminal.
    if (name === 'approval') expect((await deploy.ended).code).toBe(3);
    const aborted = await system.cli(name === 'approval' ? ['reject', id] : ['abort', id], { cwd: shop.root });
    expect(aborted.code, told(aborted)).toBe(0);
    expect(aborted.stdout).toContain('api@1 has all traffic');
    expect(await system.rollout(id)).toMatchObject({ end: 'aborted', settled: true });
    const followed = await deploy.ended;
    expect(followed.code, told(followed)).toBe(name === 'approval' ? 3 : 2);
    expect(await visit(shop.port)).toMatchObject({ status: 200, version: 'v1' });
    const status = await system.status();
    const service = status.environments.find((each) => each.project === shop.project)?.services[0];
    expect(service?.instances.map((each) => each.release)).toEqual(['api@1']);
    expect(processesIn(gate, gate)).toEqual([]);
    writeFileSync(gate, '');

    // It stands in nobody's way.
    shop.program(app('v3'));
    shop.configure({ name: `abort-${name}` });
    await up(system, shop);
    expect(await visit(shop.port)).toMatchObject({ version: 'v3' });
  });

  test('while it starts, which it does for as long as its copies cannot', async () => {
    // Nothing holds this phase: asked at once, the abort meets it somewhere between pending and verifying.
    const shop = await folder({ name: 'abort-early' });
    await up(system, shop);
    shop.program(app('v2'));
    const begun = await system.cli(['deploy', 'api', '--wait', 'none', '--json'], { cwd: shop.root });
    expect(begun.code, told(begun)).toBe(0);
    const { id } = await newestRollout(system, 'abort-early');
    const view = await system.post<RolloutView>(`/api/v1/rollouts/${id}/requests`, {
      kind: 'abort',
    });
    expect(['aborted', 'rolled-back']).toContain(view.end);
    await system.reach(id, (each) => each.settled, 'its end');
    expect(await visit(shop.port)).toMatchObject({ version: 'v1' });
  });

  test('while it is promoted, which a release that has become silent holds up, is done at once', async () => {
    const shop = await folder({ name: 'abort-promoting' });
    await up(system, shop);
    const flag = join(tempDir('flag'), 'silent');
    shop.program(
      app(
        'v2',
        `health = (q, response) => { if (!require('node:fs').existsSync(${JSON.stringify(flag)})) response.end(); };`,
      ),
    );
    shop.configure({ name: 'abort-promoting', environment: ['approve: { people: 1 }'] });
    const deploy = await system.cli(['deploy', 'api'], { cwd: shop.root });
    expect(deploy.code, told(deploy)).toBe(3);
    const { id } = await newestRollout(system, 'abort-promoting');
    writeFileSync(flag, '');
    const approved = begin({ ...system.env, SUDO_USER: 'ben' }, ['approve', id], shop.root);
    await system.reach(id, ({ phase }) => phase === 'promoting', 'its promotion');
    const aborted = await system.cli(['abort', id], { cwd: shop.root });
    expect(aborted.code, told(aborted)).toBe(0);
    expect(await visit(shop.port)).toMatchObject({ status: 200, version: 'v1' });
    await approved.ended;
    expect(await system.rollout(id)).toMatchObject({ end: 'aborted', settled: true });
  });

  test('in the rollback window is a rollback; one that is over says so', async () => {
    const shop = await folder({ name: 'abort-late' });
    await up(system, shop);
    shop.program(app('v2'));
    await up(system, shop);
    const { id } = await newestRollout(system, 'abort-late');
    const aborted = await system.cli(['abort', id], { cwd: shop.root });
    expect(aborted.code, told(aborted)).toBe(0);
    expect(aborted.stdout).toContain('rolled-back');
    expect(await visit(shop.port)).toMatchObject({ version: 'v1' });
    const again = await system.cli(['abort', id, '--json'], { cwd: shop.root });
    expect(again.code, told(again)).toBe(1);
    expect(errorOf(again)).toMatchObject({ code: 'rollout-over' });
    const none = await system.cli(['abort', '--json'], { cwd: shop.root });
    expect(none.code, told(none)).toBe(1);
    expect(errorOf(none)).toMatchObject({ code: 'no-rollout' });
  });
});
