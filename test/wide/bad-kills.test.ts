import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { RolloutView } from '../../src/api/contract/rollouts.ts';
import { app, type Folder, folder, type FolderOptions } from '../support/bad/app.ts';
import { begin } from '../support/bad/command.ts';
import { heldSteps } from '../support/bad/held-steps.ts';
import { environmentOf, instancesOf, isGone } from '../support/bad/processes.ts';
import { newestRollout, sharedSystem, told } from '../support/bad/shared-system.ts';
import { visit, visitors } from '../support/bad/visitors.ts';
import { tempDir } from '../support/temp.ts';
import { waitFor } from '../support/wait.ts';

const system = sharedSystem();
type Part = 'controller' | 'edge' | 'keeper';

const UNITS: Part[][] = [
  ['controller'],
  ['edge'],
  ['keeper'],
  ['controller', 'edge'],
  ['controller', 'keeper'],
  ['edge', 'keeper'],
];

/** A project with a canary under way that is well until it is told not to be. */
async function canaryUnderWay(name: string): Promise<Folder & { id: string; spoil: () => void }> {
  const shop = await folder({ name, rollout: ['canary: [{ weight: 50, for: 1h }]'] });
  const up = await system.cli(['up'], { cwd: shop.root });
  expect(up.code, told(up)).toBe(0);
  const flag = join(tempDir('flag'), 'bad');
  const bad = `let bad = false; setInterval(() => { bad ||= require('node:fs').existsSync(${JSON.stringify(flag)}); }, 20);
answer = (request, response) => { response.statusCode = bad && Math.random() < 0.7 ? 500 : 200; response.end(); };`;
  shop.program(app('v2', bad));
  const id = await system.deploy(shop.root);
  await system.reach(id, ({ phase }) => phase === 'canary', 'its canary');
  await waitFor(async () => (await visit(shop.port)).version === 'v2', { what: 'the canary to be asked' });
  return { ...shop, id, spoil: () => writeFileSync(flag, '') };
}

/** All at once: whoever is killed last must not have started the first again meanwhile. */
async function kill(parts: readonly Part[]): Promise<void> {
  const info = await system.keeperInfo();
  for (const signal of ['SIGSTOP', 'SIGKILL'] as const)
    for (const part of parts) process.kill(info[part]?.pid ?? Number.NaN, signal);
}

const all = async (): Promise<number[]> => {
  const { keeper, controller, edge } = await system.keeperInfo();
  return [keeper, controller, edge].map((each) => each?.pid ?? 0);
};

describe('a kill -9 in the middle of a canary, and nobody at a terminal', () => {
  test.each(UNITS.map((parts) => [parts.join(' and '), parts] as const))(
    'of the %s: the release that turns bad is taken back all the same',
    async (_, parts) => {
      const shop = await canaryUnderWay(`kill-${parts.join('-')}`);
      const load = visitors(shop.port);
      await waitFor(() => (load.seen.versions.get('v2') ?? 0) > 10, { what: 'the canary to have traffic' });
      await kill(parts);
      shop.spoil();

      // Only looked at from outside: what runs, and what answers.
      await waitFor(() => instancesOf(system.paths.home, shop.project, 'api@2').length === 0, {
        what: 'the bad release to be gone',
        timeout: 40_000,
        interval: 100,
      });
      for (let visits = 0; visits < 10; visits++)
        expect(await visit(shop.port)).toMatchObject({ status: 200, version: 'v1' });
      const seen = await load.stop();
      // An edge that is killed takes the replies with it that it was giving, and its sockets when nobody else holds
      // them; the others cost nothing.
      expect([...seen.statuses.keys()].filter((status) => ![200, 500, 0].includes(status))).toEqual([]);
      const lost = seen.statuses.get(0) ?? 0;
      if (!parts.includes('edge')) expect(lost).toBe(0);
      else if (!parts.includes('keeper')) expect(lost).toBeLessThan(20);

      await waitFor(async () => (await all()).every((pid) => !isGone(pid)), { what: 'all three', timeout: 20_000 });
      const ended = await system.reach(shop.id, ({ end, settled }) => end !== null && settled, 'its end');
      expect(ended).toMatchObject({ end: 'failed', reason: expect.stringContaining('error') });
      expect(ended.services[0]?.verdict).toMatchObject({ verdict: 'fail' });
    },
  );

  test('of all of them and their keeper: `up` finds everything as it was, and goes on with the canary', async () => {
    const shop = await canaryUnderWay('kill-all');
    const before = instancesOf(system.paths.home, shop.project, 'api@2');
    await kill(['keeper', 'controller', 'edge']);
    const up = await system.cli(['status'], { cwd: shop.root });
    expect(up.code, told(up)).toBe(1);
    expect(told(up)).toContain('evenkeel up');
    expect(instancesOf(system.paths.home, shop.project, 'api@2')).toEqual(before);
    await system.start();
    const load = visitors(shop.port);
    shop.spoil();
    const ended = await system.reach(shop.id, ({ end, settled }) => end !== null && settled, 'its end');
    await load.stop();
    expect(ended.end).toBe('failed');
    expect(await visit(shop.port)).toMatchObject({ status: 200, version: 'v1' });
  });

  test('of the former release only starts that one again', async () => {
    const shop = await canaryUnderWay('kill-former');
    await killInstances(shop, 'api@1');
    await waitFor(() => instancesOf(system.paths.home, shop.project, 'api@1').length > 0, { what: 'the next one' });
    await waitFor(async () => (await visits(shop.port)).get('v1') !== undefined, {
      what: 'it to be asked again',
      timeout: 20_000,
    });
    expect(await system.rollout(shop.id)).toMatchObject({ phase: 'canary', end: null });
    await takeBack(shop.id);
  });

  test('of the canary itself takes it back', async () => {
    const shop = await canaryUnderWay('kill-canary');
    await killInstances(shop, 'api@2');
    const ended = await system.reach(shop.id, ({ end }) => end !== null, 'its end');
    expect(ended).toMatchObject({ end: 'failed', reason: expect.stringMatching(/lost|none of its instances/) });
    expect(await visit(shop.port)).toMatchObject({ status: 200, version: 'v1' });
  });
});

describe('a kill -9 of the controller in every phase', () => {
  test('costs a deploy nothing: it is followed on, and nothing is done twice', async () => {
    const steps = heldSteps();
    const options: FolderOptions = {
      name: 'phases',
      rollout: ['canary: [{ weight: 50, for: 1h }]'],
      service: [
        `build: ${steps.command('build')}`,
        `migrate: ${steps.command('migrate')}`,
        `smoke: { run: ${steps.command('smoke')} }`,
      ],
    };
    const shop = await folder({ name: 'phases' });
    expect((await system.cli(['up'], { cwd: shop.root })).code).toBe(0);
    const load = visitors(shop.port);
    shop.configure(options);
    shop.program(app('v2'));
    const deploy = begin(system.env, ['deploy', 'api'], shop.root);
    for (const step of ['build', 'migrate', 'smoke']) {
      await steps.begun(step);
      await kill(['controller']);
      steps.release(step);
    }
    await waitFor(async () => (await newestRollout(system, 'phases')).phase === 'canary', {
      what: 'its canary',
      timeout: 20_000,
    });
    await kill(['controller']);
    const promoted = await system.cli(['promote'], { cwd: shop.root });
    expect(promoted.code, told(promoted)).toBe(0);
    const followed = await deploy.ended;
    expect(followed.code, told(followed)).toBe(0);
    expect(followed.stdout).toContain('api@2 has all traffic');
    for (const step of ['build', 'migrate', 'smoke']) expect(steps.witnessed(step), step).toBe('once\n');
    await kill(['controller']);
    const back = await system.cli(['rollback', 'api'], { cwd: shop.root });
    expect(back.code, told(back)).toBe(0);
    expect(await visit(shop.port)).toMatchObject({ status: 200, version: 'v1' });
    const seen = await load.stop();
    expect([...seen.statuses.keys()]).toEqual([200]);
  });
});

async function killInstances(shop: Folder, release: string): Promise<void> {
  const pids = instancesOf(system.paths.home, shop.project, release);
  expect(pids.length).toBeGreaterThan(0);
  for (const pid of pids) if (environmentOf(pid).includes(release)) process.kill(pid, 'SIGKILL');
  await waitFor(() => pids.every(isGone), { what: 'it to be gone' });
}

async function visits(port: number): Promise<Map<string, number>> {
  const seen = new Map<string, number>();
  for (let count = 0; count < 8; count++) {
    const { version } = await visit(port);
    seen.set(version, (seen.get(version) ?? 0) + 1);
  }
  return seen;
}

const takeBack = (id: string): Promise<RolloutView> =>
  system.post(`/api/v1/rollouts/${id}/requests`, { kind: 'abort', by: 'ada', comment: null, force: false });
