import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { app, type Folder, folder } from '../support/bad/app.ts';
import { isGone, killWithShim } from '../support/bad/processes.ts';
import { begin } from '../support/bad/command.ts';
import { newestRollout, sharedSystem, told, up } from '../support/bad/shared-system.ts';
import { visit } from '../support/bad/visitors.ts';
import { tempDir } from '../support/temp.ts';
import { waitFor } from '../support/wait.ts';

const system = sharedSystem();

/** A job that says who it is and ends when it is told to; as `sh` runs it, in the working copy. */
interface Slow {
  command: string;
  /** Waits until it runs. */
  started(): Promise<number>;
  letGo(): void;
  times(): number;
  running(): number[];
}

function slow(): Slow {
  const marks = tempDir('job');
  const program = `const fs=require("node:fs");fs.appendFileSync("${marks}/pids",process.pid+"\\n");console.log("half of it is done");setInterval(()=>{if(fs.existsSync("${marks}/go"))process.exit(0)},20)`;
  writeFileSync(join(marks, 'job.cjs'), program);
  const pids = (): number[] =>
    existsSync(join(marks, 'pids')) ? readFileSync(join(marks, 'pids'), 'utf8').trim().split('\n').map(Number) : [];
  return {
    command: `exec node ${marks}/job.cjs`,
    started: () => waitFor(() => pids().find((pid) => !isGone(pid)), { what: 'the job to run', timeout: 20_000 }),
    letGo: () => writeFileSync(join(marks, 'go'), ''),
    times: () => pids().length,
    running: () => pids().filter((pid) => !isGone(pid)),
  };
}

const servesStill = async (shop: Folder, version = 'v1'): Promise<void> =>
  expect(await visit(shop.port)).toMatchObject({ status: 200, version });

describe('a migration', () => {
  test('that fails takes the deploy back, and its last lines say why', async () => {
    const shop = await folder({ name: 'failing' });
    await up(system, shop);
    shop.program(app('v2'));
    shop.configure({
      name: 'failing',
      service: [`migrate: 'echo column price does not exist >&2; exit 4'`],
    });
    const refused = await system.cli(['deploy', 'api'], { cwd: shop.root });
    expect(refused.code, told(refused)).toBe(2);
    expect(told(refused)).toMatch(
      /api +\| column price does not exist\n(?:.*\n)*?.*migration of api@2 failed: exit code 4\n/,
    );
    expect(told(refused)).toContain('api@1 has all traffic');
    await servesStill(shop);
  });

  test('that hangs is stopped at its deadline', async () => {
    const shop = await folder({ name: 'hanging' });
    await up(system, shop);
    const job = slow();
    shop.program(app('v2'));
    shop.configure({ name: 'hanging', service: [`migrate: ${job.command}`], rollout: ['deadlines: { migrate: 1s }'] });
    const refused = await system.cli(['deploy', 'api'], { cwd: shop.root });
    expect(refused.code, told(refused)).toBe(2);
    expect(told(refused)).toMatch(/migrating took longer than its deadline of 1/);
    expect(await newestRollout(system, 'hanging')).toMatchObject({ end: 'failed', settled: true });
    expect(job.running()).toEqual([]);
    expect(job.times()).toBe(1);
    await servesStill(shop);
  });

  test('lets an abort wait for its end, and a forced one not', async () => {
    const shop = await folder({ name: 'aborted' });
    await up(system, shop);
    const patient = slow();
    shop.program(app('v2'));
    shop.configure({ name: 'aborted', service: [`migrate: ${patient.command}`] });
    const deploy = begin(system.env, ['deploy', 'api'], shop.root);
    const pid = await patient.started();
    const abort = begin(system.env, ['abort'], shop.root);
    await waitFor(async () => (await newestRollout(system, 'aborted')).reason.includes('waits for the migration'), {
      what: 'the abort to wait',
    });
    expect(isGone(pid)).toBe(false);
    patient.letGo();
    const aborted = await abort.ended;
    expect(aborted.code, told(aborted)).toBe(0);
    expect(aborted.stdout).toContain('api@1 has all traffic');
    expect((await deploy.ended).code).toBe(2);
    expect(await newestRollout(system, 'aborted')).toMatchObject({ end: 'aborted' });

    const stubborn = slow();
    shop.configure({ name: 'aborted', service: [`migrate: ${stubborn.command}`] });
    const again = begin(system.env, ['deploy', 'api'], shop.root);
    const other = await stubborn.started();
    const forced = await system.cli(['abort', '--force'], { cwd: shop.root });
    expect(forced.code, told(forced)).toBe(0);
    await waitFor(() => isGone(other), { what: 'the migration to be ended', timeout: 20_000 });
    expect((await again.ended).code).toBe(2);
    await servesStill(shop);
  });

  test('that is killed pauses the rollout, and says what can be done', async () => {
    const shop = await folder({ name: 'killed' });
    await up(system, shop);
    for (const [verb, end] of [
      ['resume', null],
      ['promote', null],
      ['abort', 'aborted'],
    ] as const) {
      const job = slow();
      shop.program(app(verb));
      shop.configure({ name: 'killed', service: [`migrate: ${job.command}`] });
      const before = (await visit(shop.port)).version;
      const deploy = begin(system.env, ['deploy', 'api'], shop.root);
      await killWithShim(await job.started());
      const paused = await deploy.ended;
      expect(paused.code, told(paused)).toBe(3);
      for (const way of ['evenkeel resume', 'evenkeel promote', 'evenkeel abort']) expect(told(paused)).toContain(way);
      expect(await newestRollout(system, 'killed')).toMatchObject({ paused: { reason: 'unknown-job' } });
      await servesStill(shop, before);
      const { id } = await newestRollout(system, 'killed');
      job.letGo();
      const asked = await system.cli([verb, id], { cwd: shop.root });
      expect(asked.code, told(asked)).toBe(0);
      const after = await system.reach(id, (each) => each.promotedAt !== null || each.end !== null, `the ${verb}`);
      expect(after.end).toBe(end);
      expect(job.times(), 'only resume runs it again').toBe(verb === 'resume' ? 2 : 1);
      await servesStill(shop, end === null ? verb : before);
    }
  });
});

describe('a smoke test', () => {
  test('that fails takes the deploy back before anybody is sent there', async () => {
    const shop = await folder({ name: 'smoky' });
    await up(system, shop);
    shop.program(app('v2'));
    shop.configure({ name: 'smoky', service: ['smoke: [{ path: /, body: v3 }]'] });
    const refused = await system.cli(['deploy', 'api'], { cwd: shop.root });
    expect(refused.code, told(refused)).toBe(2);
    expect(told(refused)).toMatch(/smoke test of api@2 failed.*v3/s);
    await servesStill(shop);
  });

  test('that is killed pauses the rollout as a migration does', async () => {
    const shop = await folder({ name: 'smothered' });
    await up(system, shop);
    const job = slow();
    shop.program(app('v2'));
    shop.configure({ name: 'smothered', service: [`smoke: { run: ${job.command} }`] });
    const deploy = begin(system.env, ['deploy', 'api'], shop.root);
    await killWithShim(await job.started());
    const paused = await deploy.ended;
    expect(paused.code, told(paused)).toBe(3);
    await servesStill(shop);
    const { id } = await newestRollout(system, 'smothered');
    expect((await system.cli(['abort', id], { cwd: shop.root })).code).toBe(0);
    await servesStill(shop);
  });
});

describe('a build', () => {
  test('that fails says its last lines, and the former release serves on', async () => {
    const shop = await folder({ name: 'broken' });
    await up(system, shop);
    shop.program(app('v2'));
    shop.configure({ name: 'broken', service: [`build: 'echo main.ts:3 is wrong >&2; exit 5'`] });
    const refused = await system.cli(['deploy', 'api'], { cwd: shop.root });
    expect(refused.code, told(refused)).toBe(2);
    expect(told(refused)).toMatch(/build of api@2 failed.*exit code 5/s);
    expect(told(refused)).toContain('main.ts:3 is wrong');
    await servesStill(shop);
  });

  test('of a folder that is not there says which', async () => {
    const shop = await folder({ name: 'nowhere' });
    await up(system, shop);
    shop.configure({ name: 'nowhere', service: ['dir: apps/api'] });
    const refused = await system.cli(['deploy', 'api'], { cwd: shop.root });
    expect(refused.code, told(refused)).toBe(1);
    expect(told(refused)).toMatch(/evenkeel\.yaml:8.*there is no folder `apps\/api`/);
    await servesStill(shop);
    const site = await folder({ name: 'site' });
    site.write({
      'evenkeel.yaml': `project: site\nport: ${site.port}\nservices:\n  web: { build: "true", static: dist, routes: [/] }\n`,
    });
    const unbuilt = await system.cli(['up'], { cwd: site.root });
    expect(unbuilt.code, told(unbuilt)).toBe(2);
    expect(told(unbuilt)).toMatch(/build of web@1 failed.*dist/s);
  });

  test('that is killed is built again, or said to have failed', async () => {
    const shop = await folder({ name: 'shot' });
    await up(system, shop);
    const job = slow();
    shop.program(app('v2'));
    shop.configure({ name: 'shot', service: [`build: ${job.command}`] });
    const deploy = begin(system.env, ['deploy', 'api'], shop.root);
    await killWithShim(await job.started());
    job.letGo();
    const result = await deploy.ended;
    expect(result.code, told(result)).toBe(0);
    expect(job.times()).toBe(2);
    await servesStill(shop, 'v2');
  });
});
