import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { RolloutView } from '../../src/api/contract/rollouts.ts';
import { app, folder } from '../support/bad/app.ts';
import { instancesOf, isGone, killWithShim } from '../support/bad/processes.ts';
import { begin } from '../support/bad/command.ts';
import { errorOf, newestRollout, sharedSystem, told, up } from '../support/bad/shared-system.ts';
import { visit } from '../support/bad/visitors.ts';
import { releases } from '../support/features/command.ts';
import { tempDir } from '../support/temp.ts';
import { waitFor } from '../support/wait.ts';

const system = sharedSystem();

/** A contract that writes down that it began and ended, and ends when it is told to. */
function witness(): {
  command: string;
  began: () => number;
  ended: () => number;
  pid: () => number;
  letGo(code?: number): void;
} {
  const marks = tempDir('contract');
  const lines = (name: string): string[] =>
    existsSync(join(marks, name)) ? readFileSync(join(marks, name), 'utf8').trim().split('\n') : [];
  const program = `const fs=require("node:fs");fs.appendFileSync("${marks}/began",process.pid+"\\n");setInterval(()=>{if(!fs.existsSync("${marks}/go"))return;fs.appendFileSync("${marks}/ended","x\\n");process.exit(Number(fs.readFileSync("${marks}/go")))},20)`;
  writeFileSync(join(marks, 'job.cjs'), program);
  return {
    command: `exec node ${marks}/job.cjs`,
    began: () => lines('began').length,
    ended: () => lines('ended').length,
    pid: () => Number(lines('began').at(-1)),
    letGo: (code = 0) => writeFileSync(join(marks, 'go'), String(code)),
  };
}

describe('a contract', { timeout: 120_000 }, () => {
  test('runs once after the window, through the death of every controller, and bars the way back', async () => {
    const shop = await folder({ name: 'kept', window: '0s' });
    await up(system, shop, '--wait', 'complete');
    const contract = witness();
    shop.program(app('v2'));
    const service = ['migrate: "true"', 'migrations: refuse', `contract: ${contract.command}`];
    shop.configure({ name: 'kept', window: '2s', service });
    // What it does after the window, a migration must not do before it.
    shop.write({ 'migrations/2.sql': 'ALTER TABLE users DROP COLUMN answer;\n' });
    const early = await system.cli(['deploy'], { cwd: shop.root });
    expect(early.code, told(early)).toBe(1);
    expect(told(early)).toMatch(
      /migrations\/2\.sql:1 drops the column users\.answer.*named in main\.js:\d+: let answer = /s,
    );
    shop.write({ 'migrations/2.sql': "SET lock_timeout = '1s';\nALTER TABLE users ADD COLUMN question text;\n" });
    const deploy = begin(system.env, ['deploy', '--wait', 'complete'], shop.root);
    await waitFor(() => contract.began() > 0, { what: 'the contract to run', timeout: 60_000 });
    // What the former release needs is about to go, so nobody is left who would need it.
    expect(instancesOf(system.paths.home, 'kept', 'api@1')).toEqual([]);
    expect(await newestRollout(system, 'kept')).toMatchObject({
      phase: 'contracting',
      services: [{ contract: 'begun' }],
    });

    const refused = await system.cli(['rollback', 'api', '--json'], { cwd: shop.root });
    expect(refused.code, told(refused)).toBe(1);
    expect(errorOf(refused).code).toBe('past-contract');

    for (let kill = 0; kill < 2; kill++) {
      const { controller } = await system.keeperInfo();
      if (controller === null) throw new Error('no controller');
      process.kill(controller.pid, 'SIGKILL');
      await waitFor(async () => ((await system.keeperInfo()).controller?.pid ?? controller.pid) !== controller.pid, {
        what: 'another controller',
        timeout: 30_000,
      });
    }
    await waitFor(() => newestRollout(system, 'kept'), { what: 'its answer', timeout: 30_000 });
    expect(isGone(contract.pid())).toBe(false);
    contract.letGo();
    const ended = await deploy.ended;
    expect(ended.code, told(ended)).toBe(0);
    expect(ended.stdout).toContain('contracted api@2');
    expect([contract.began(), contract.ended()]).toEqual([1, 1]);
    expect(await newestRollout(system, 'kept')).toMatchObject({ end: 'complete', services: [{ contract: 'done' }] });

    const listed = await releases(system, shop.root);
    expect(listed.map(({ release, behindContract }) => [release, behindContract])).toEqual([
      ['api@2', null],
      ['api@1', 'api@2'],
    ]);
    const back = await system.cli(['rollback', '--to', 'api@1'], { cwd: shop.root });
    expect(back.code, told(back)).toBe(1);
    expect(told(back)).toContain('api cannot go back to api@1: the contract of api@2 has begun');
    expect(await visit(shop.port)).toMatchObject({ status: 200, version: 'v2' });
  });

  test('that fails pauses with what can be typed, and is run again; a deploy in the meantime leaves it', async () => {
    const shop = await folder({ name: 'again', window: '0s', service: [`contract: 'test -e ${tempDir('flag')}/ok'`] });
    const paused = await system.cli(['up', '--wait', 'complete'], { cwd: shop.root });
    expect(paused.code, told(paused)).toBe(3);
    expect(told(paused)).toMatch(/the contract of api@1 failed .*exit code 1/s);
    expect(told(paused)).toMatch(/evenkeel resume .* run the job again/);
    expect(told(paused)).toMatch(/evenkeel abort .* leave it/);
    const again = await system.cli(['resume'], { cwd: shop.root });
    expect(told(again)).toContain('contract.api is run again');
    await waitFor(async () => (await newestRollout(system, 'again')).paused?.detail.includes('failed'), {
      what: 'it to fail again',
    });

    shop.program(app('v2'));
    shop.configure({ name: 'again', window: '0s', service: ['contract: "true"'] });
    const deployed = await system.cli(['deploy', '--wait', 'complete'], { cwd: shop.root });
    expect(deployed.code, told(deployed)).toBe(0);
    const { rollouts } = await system.get<{ rollouts: RolloutView[] }>('/api/v1/rollouts?project=again&limit=2');
    expect(rollouts.map(({ end, services }) => [end, services[0]?.contract])).toEqual([
      ['complete', 'done'],
      ['complete', 'failed'],
    ]);
    expect(rollouts[1]?.reason).toContain('superseded by a newer rollout; the contract of api@1 failed');
  });

  test('whose process dies without an end pauses, and abort leaves it', async () => {
    const contract = witness();
    const shop = await folder({ name: 'lost', window: '0s', service: [`contract: ${contract.command}`] });
    const waiting = begin(system.env, ['up', '--wait', 'complete'], shop.root);
    await waitFor(() => contract.began() > 0, { what: 'the contract to run', timeout: 60_000 });
    await killWithShim(contract.pid());
    const paused = await waiting.ended;
    expect(paused.code, told(paused)).toBe(3);
    expect(told(paused)).toContain('contract.api died without a recorded end');
    const left = await system.cli(['abort', '--json'], { cwd: shop.root });
    expect(left.code, told(left)).toBe(0);
    expect(await newestRollout(system, 'lost')).toMatchObject({ end: 'complete', services: [{ contract: 'unknown' }] });
    expect(contract.began()).toBe(1);
    expect(await visit(shop.port)).toMatchObject({ status: 200 });
  });
});
