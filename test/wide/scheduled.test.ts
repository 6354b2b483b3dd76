import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import type { RunView } from '../../src/api/contract/runs.ts';
import { folder, type Folder, type FolderOptions } from '../support/bad/app.ts';
import { begin } from '../support/bad/command.ts';
import { errorOf, sharedSystem, told } from '../support/bad/shared-system.ts';
import { json, run, service } from '../support/features/command.ts';
import { waitFor } from '../support/wait.ts';

const system = sharedSystem();

/** Says hello, writes down that it ran, and ends as the file `code` in its data says, or waits while there is `wait`. */
const tidy = (version: string): string => `
const { appendFileSync, existsSync, readFileSync } = require('node:fs');
appendFileSync('kept/seen', '${version} ' + process.env.EVENKEEL_RELEASE + '\\n');
console.log('tidying with ${version}');
const end = () => process.exit(existsSync('kept/code') ? Number(readFileSync('kept/code', 'utf8')) : 0);
const waiting = setInterval(() => { if (!existsSync('kept/wait')) end(); }, 20);
`;
const configured = (name: string, keys = '', at = '"0 3 1 1 *"'): FolderOptions => ({
  name,
  services: `  tidy:\n    run: node tidy.js\n    schedule: ${at}\n    data: [kept]\n${keys}`,
  files: { 'tidy.js': tidy('v1') },
});
const kept = (shop: Folder): string => join(system.paths.projects, shop.project, 'development', 'tidy', 'kept');
const seen = (shop: Folder): string[] =>
  existsSync(join(kept(shop), 'seen'))
    ? readFileSync(join(kept(shop), 'seen'), 'utf8')
        .trim()
        .split('\n')
    : [];
const runs = async (shop: Folder): Promise<RunView[]> =>
  (await json<{ runs: RunView[] }>(system, shop.root, ['run', '--list'])).runs;

describe('a scheduled service', { timeout: 120_000 }, () => {
  test('is run by hand: followed, recorded, and worth what its command was', async () => {
    const shop = await folder(configured('nightly', '    check: node -e 0\n'));
    await run(system, shop.root, ['up']);
    expect(await service(system, shop.root, 'tidy')).toMatchObject({ health: 'healthy', instances: [] });
    const done = await run(system, shop.root, ['run', 'tidy']);
    expect(done.stdout).toMatch(/tidying with v1[^]*tidy@1 is done, after/);
    writeFileSync(join(kept(shop), 'code'), '3');
    const failed = await run(system, shop.root, ['run', 'tidy'], { code: 2 });
    expect(failed.stdout, told(failed)).toContain('exit code 3');
    const { schedule } = await service(system, shop.root, 'tidy');
    expect(schedule).toMatchObject({ at: ['0 3 1 1 *'], timeZone: 'UTC', running: null, last: { state: 'failed' } });
    expect(new Date(schedule?.next ?? 0).toISOString()).toMatch(/-01-01T03:00:00/);
    const status = await run(system, shop.root, ['status']);
    expect(status.stdout).toMatch(/tidy: last .* failed, asked for by \S+: exit code 3; next /);
    const { stdout } = await run(system, shop.root, ['logs', 'tidy', '--job', 'scheduled']);
    expect(stdout).toContain('tidying with v1');
    expect((await run(system, shop.root, ['logs', 'tidy'])).stdout).toContain('tidying with v1');
    const none = await run(system, shop.root, ['run', 'api', '--json'], { code: 1 });
    expect(errorOf(none)).toMatchObject({ code: 'service-not-scheduled', next: 'scheduled are: tidy' });
  });

  test('has one run at a time, which can be cancelled; the next one is of the release that is current then', async () => {
    const shop = await folder(configured('alone'));
    await run(system, shop.root, ['up']);
    mkdirSync(kept(shop), { recursive: true });
    writeFileSync(join(kept(shop), 'wait'), '');
    const first = begin(system.env, ['run', 'tidy'], shop.root);
    await first.says('tidying with v1');
    const second = await run(system, shop.root, ['run', 'tidy', '--json'], { code: 1 });
    expect(errorOf(second).code).toBe('run-under-way');
    // A new release does not touch the run of the old one.
    shop.write({ 'tidy.js': tidy('v2') });
    await run(system, shop.root, ['deploy', 'tidy']);
    expect(await runs(shop)).toMatchObject([{ release: 'tidy@1', state: 'running' }]);
    await run(system, shop.root, ['run', 'tidy', '--cancel']);
    const ended = await first.ended;
    expect(ended.code, told(ended)).toBe(2);
    await run(system, shop.root, ['run', 'tidy', '--detach']);
    await waitFor(() => seen(shop).includes('v2 tidy@2'), { what: 'the new release to run', timeout: 30_000 });
    // What is brought down ends.
    await run(system, shop.root, ['down']);
    expect((await runs(shop)).map(({ release, state }) => [release, state])).toEqual([
      ['tidy@2', 'cancelled'],
      ['tidy@1', 'cancelled'],
    ]);
  });

  test('runs at its time, once, and says what it has missed, though the controller is killed meanwhile', async () => {
    const shop = await folder(configured('minutely', '', '{ at: "* * * * *", late: 1h }'));
    await run(system, shop.root, ['up']);
    const store = new DatabaseSync(system.paths.store, { timeout: 5_000 });
    // As if evenkeel had been away for a while.
    const away = Date.now() - 4 * 60_000;
    await waitFor(
      () => store.prepare("update schedules set through = ? where project = 'minutely'").run(away).changes === 1,
      { what: 'the schedule to be known' },
    );
    store.close();
    await waitFor(async () => (await runs(shop)).length >= 2, { what: 'its times to be decided upon' });
    process.kill((await system.keeperInfo()).controller?.pid ?? Number.NaN, 'SIGKILL');
    const all = await waitFor(
      async () => ((now) => (now.every(({ state }) => state !== 'running') ? now : null))(await runs(shop)),
      { what: 'the run to end', timeout: 40_000 },
    );
    const missed = all.at(-1);
    expect(missed).toMatchObject({ state: 'missed', reason: expect.stringContaining('times were missed') });
    const ran = all.filter(({ state }) => state === 'done');
    expect(ran.length).toBe(all.length - 1);
    expect(new Set(all.map(({ dueAt }) => dueAt)).size).toBe(all.length);
    expect(seen(shop)).toHaveLength(ran.length);
  });
});
