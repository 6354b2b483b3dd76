import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { RolloutView } from '../../src/api/contract/rollouts.ts';
import { app, folder } from '../support/bad/app.ts';
import { processesIn } from '../support/bad/processes.ts';
import { errorOf, sharedSystem } from '../support/bad/shared-system.ts';
import { visit } from '../support/bad/visitors.ts';
import { json, newest, releases, run, service } from '../support/features/command.ts';
import { HEALTH, server } from '../support/features/programs.ts';
import { ask } from '../support/features/visitor.ts';
import { projectFolder, writeFiles } from '../support/system.ts';
import { waitFor } from '../support/wait.ts';
import { tempDir } from '../support/temp.ts';
import { freePort } from '../support/free-port.ts';

const system = sharedSystem();

const count = (path: string): number => (existsSync(path) ? readdirSync(path, { recursive: true }).length : 0);

describe('what was shipped', { timeout: 120_000 }, () => {
  test('is named by hand, by package.json or by the git tag, with its commit and whether that says all', async () => {
    const shop = await folder({ name: 'named', files: { 'package.json': '{ "version": "1.4.0" }' } });
    const git = (...args: string[]): string =>
      execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b.c', ...args], {
        cwd: shop.root,
        encoding: 'utf8',
      });
    git('init', '-q');
    git('add', '.');
    git('commit', '-qm', 'one');
    await run(system, shop.root, ['up']);
    const commit = git('rev-parse', 'HEAD').trim();
    expect((await releases(system, shop.root))[0]).toMatchObject({
      release: 'api@1',
      label: 'v1.4.0',
      commit,
      dirty: false,
      state: 'current',
    });
    git('tag', 'v1.5.0');
    shop.program(app('v2'));
    await run(system, shop.root, ['deploy', 'api']);
    expect((await releases(system, shop.root))[0]).toMatchObject({ release: 'api@2', commit, dirty: true });
    git('commit', '-qam', 'two');
    git('tag', 'v1.6.0');
    const tagged = await run(system, shop.root, ['deploy', 'api']);
    expect(tagged.stdout).toContain('api@3 (v1.6.0) has all traffic');
    expect((await releases(system, shop.root))[0]).toMatchObject({
      label: 'v1.6.0',
      commit: git('rev-parse', 'HEAD').trim(),
      dirty: false,
    });
    await run(system, shop.root, ['deploy', 'api', '--version', 'summer']);
    const list = await releases(system, shop.root, 'api');
    expect(list.map((each) => each.release)).toEqual(['api@4', 'api@3', 'api@2', 'api@1']);
    expect(list[0]).toMatchObject({ label: 'summer', state: 'current' });
    const people = await run(system, shop.root, ['releases']);
    expect(people.stdout).toMatch(/api@4\s+summer\s+[0-9a-f]{10}.*serves/);
  });

  test('can be gone back to by its number, by its label, and all together', async () => {
    const port = await freePort();
    const two = (version: string): Record<string, string> => ({
      'evenkeel.yaml': `
project: back
port: ${port}
services:
  one: { run: node main.js, routes: [/one], env: { CONFIG: "${version}" }, ${HEALTH} }
  two: { run: node main.js, routes: [/two], ${HEALTH} }
environments:
  development: { rollout: { rollbackWindow: 1s, drain: 1s } }
`,
      'main.js': server(version),
    });
    const root = projectFolder(two('v1'));
    const ship = async (version: string): Promise<void> => {
      writeFiles(root, two(version));
      await run(system, root, ['deploy', '--version', `label-${version}`, '--wait', 'complete']);
    };
    for (const version of ['v1', 'v2', 'v3']) await ship(version);
    await run(system, root, ['rollback', 'one', '--to', 'one@1']);
    expect(await ask(port, '/one')).toMatchObject({ body: 'one v1' });
    expect(await ask(port, '/two')).toMatchObject({ body: 'two v3' });
    // The old files with their old configuration.
    expect(JSON.parse((await ask(port, '/one/env')).body)).toMatchObject({ CONFIG: 'v1', EVENKEEL_RELEASE: 'one@1' });
    await run(system, root, ['rollback', 'one', '--to', 'label-v2']);
    expect(await ask(port, '/one')).toMatchObject({ body: 'one v2' });

    const unknown = await run(system, root, ['rollback', 'one', '--to', 'one@77', '--json'], { code: 1 });
    expect(errorOf(unknown)).toMatchObject({ code: 'release-unknown', next: expect.stringContaining('releases one') });

    await ship('v4');
    await run(system, root, ['rollback', '--all', '--comment', 'both are slow']);
    expect(await ask(port, '/one')).toMatchObject({ body: 'one v2' });
    expect(await ask(port, '/two')).toMatchObject({ body: 'two v3' });
    const { rollout } = await newest(system, root);
    const { rollouts } = await json<{ rollouts: RolloutView[] }>(system, root, ['rollouts', '--limit', '1']);
    expect(rollouts.map(({ id }) => id)).toEqual([rollout.id]);
    const story = await json<{ rollout: RolloutView; entries: unknown[] }>(system, root, [
      'rollouts',
      'show',
      rollout.id,
    ]);
    expect(story.rollout.id).toBe(rollout.id);
    expect(JSON.stringify(story.entries)).toContain('both are slow');
  });

  test('is built once for each input; files that are the same lie there once', async () => {
    const witness = join(tempDir('witness'), 'built');
    const port = await freePort();
    const big = 'x'.repeat(200_000);
    const root = projectFolder({
      'evenkeel.yaml': `
project: built
port: ${port}
services:
  api: { build: "echo built >> ${witness} && cp main.js made.js", run: node made.js, routes: [/], ${HEALTH} }
environments:
  development: { rollout: { rollbackWindow: 1s, drain: 100ms } }
`,
      'main.js': server('v1'),
      'big.txt': big,
    });
    const built = (): number => readFileSync(witness, 'utf8').trim().split('\n').length;
    await run(system, root, ['up']);
    expect(built()).toBe(1);
    const nothing = await run(system, root, ['up']);
    expect(nothing.stdout).toContain('nothing changed');
    await run(system, root, ['deploy', 'api']);
    expect(built()).toBe(1);
    await run(system, root, ['restart', 'api']);
    expect(built()).toBe(1);
    writeFiles(root, { 'main.js': server('v2') });
    await run(system, root, ['deploy', 'api']);
    expect(built()).toBe(2);
    expect((await visit(port)).version).toBe('v2');
    writeFiles(root, { 'main.js': server('v1') });
    await run(system, root, ['deploy', 'api']);
    expect(built()).toBe(2);
    const copies = (readdirSync(system.paths.artifacts, { recursive: true }) as string[])
      .map((name) => statSync(join(system.paths.artifacts, name)))
      .filter((each) => each.isFile() && each.size === big.length);
    expect(copies.length).toBeGreaterThan(0);
    expect(new Set(copies.map((each) => each.ino)).size).toBe(1);
  });

  test('leaves nothing behind but what can be gone back to', async () => {
    const port = await freePort();
    const files = (version: string): Record<string, string> => ({
      'evenkeel.yaml': `
project: tidy
port: ${port}
services:
  api: { build: cp main.js made.js, migrate: node -e 0, smoke: [/], run: node made.js, routes: [/], ${HEALTH} }
environments:
  development: { rollout: { rollbackWindow: 500ms, drain: 100ms, keepReleases: 2 } }
`,
      'main.js': server(version),
    });
    const root = projectFolder(files('v0'));
    const ship = async (version: string): Promise<void> => {
      writeFiles(root, files(version));
      await run(system, root, ['deploy', '--wait', 'complete']);
    };
    const settled = (): Promise<unknown> =>
      waitFor(async () => (await newest(system, root)).rollout.settled, {
        what: 'the end of it all',
        timeout: 20_000,
        interval: 100,
      });
    const open = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length;
    const held = async (): Promise<Record<string, number>> => {
      await settled();
      const { keeper, controller, edge } = await system.keeperInfo();
      return {
        instances: readdirSync(system.paths.instances).filter((name) => name.startsWith('tidy')).length,
        jobs: count(system.paths.jobs),
        processes: processesIn(system.paths.home).length,
        keeper: open(keeper.pid),
        controller: open(controller?.pid ?? 0),
        edge: open(edge?.pid ?? 0),
      };
    };
    await ship('v1');
    await ship('v2');
    const before = await held();
    for (let each = 3; each <= 10; each++) await ship(`v${each}`);
    expect((await visit(port)).version).toBe('v10');
    const within = async (): Promise<boolean> => {
      const now = await held();
      // A connection or a file that is open just now is no growth; one for each rollout is.
      return Object.entries(now).every(
        ([name, value]) =>
          value <= (before[name] ?? 0) + (name === 'edge' || name === 'controller' || name === 'keeper' ? 4 : 0),
      );
    };
    await waitFor(within, { what: `no more than ${JSON.stringify(before)}`, timeout: 20_000, interval: 500 });

    const states = async (): Promise<string[]> =>
      (await releases(system, root, 'api')).map((each) => `${each.release} ${each.state}`);
    await waitFor(async () => (await states()).filter((each) => each.endsWith('gone')).length === 7, {
      what: 'artifacts beyond keepReleases to go',
      timeout: 80_000,
      interval: 1_000,
    });
    expect((await states()).slice(0, 4)).toEqual(['api@10 current', 'api@9 kept', 'api@8 kept', 'api@7 gone']);
    const gone = await run(system, root, ['rollback', 'api', '--to', 'api@2', '--json'], { code: 1 });
    expect(errorOf(gone)).toMatchObject({ code: 'release-gone' });
    await run(system, root, ['rollback', 'api', '--to', 'api@8']);
    expect((await visit(port)).version).toBe('v8');
    expect((await service(system, root, 'api')).release).toBe('api@8');
  });

  test('leaves nothing behind of what failed, but its output', async () => {
    const port = await freePort();
    const files = (version: string, over: Record<string, string> = {}): Record<string, string> => ({
      'evenkeel.yaml': `
project: failed
port: ${port}
services:
  api: { build: node build.js, migrate: node migrate.js, smoke: [/], run: node made.js, routes: [/], ${HEALTH} }
  web: { static: site, routes: [/web] }
environments:
  development: { rollout: { rollbackWindow: 5m, drain: 100ms } }
`,
      'main.js': server(version),
      'build.js': `require('fs').copyFileSync('main.js', 'made.js')`,
      'migrate.js': '',
      'site/web/index.html': version,
      ...over,
    });
    const root = projectFolder(files('v1'));
    await run(system, root, ['up']);
    const held = (): Record<string, number> => ({
      instances: readdirSync(system.paths.instances).filter((name) => name.startsWith('failed')).length,
      jobs: count(system.paths.jobs),
      processes: processesIn(system.paths.home).length,
    });
    await waitFor(async () => (await newest(system, root)).rollout.phase === 'watching', { what: 'promotion' });
    const before = held();
    const bad: [string, Record<string, string>, RegExp][] = [
      ['v2', { 'build.js': 'console.error("no compiler"); process.exit(2)' }, /no compiler/],
      ['v3', { 'migrate.js': 'console.error("no such column"); process.exit(3)' }, /no such column/],
      [
        'v4',
        {
          'main.js': server('v4').replace('else response.end(', 'else if ((response.statusCode = 500)) response.end('),
        },
        /status 500, expected 200/,
      ],
      ['v5', { 'main.js': 'console.error("no such port"); process.exit(5)' }, /exit code 5/],
    ];
    for (const [version, over, why] of bad) {
      writeFiles(root, files(version, over));
      const failed = await run(system, root, ['deploy'], { code: 2 });
      expect(failed.stdout).toMatch(why);
      expect(await ask(port, '/web/')).toMatchObject({ status: 200, body: 'v1' });
      expect(await ask(port)).toMatchObject({ status: 200, body: 'api v1' });
    }
    await waitFor(() => Object.entries(held()).every(([name, value]) => value <= (before[name] ?? 0)), {
      what: `no more than ${JSON.stringify(before)}`,
      timeout: 20_000,
    });
    // What it wrote is still told.
    const said = await run(system, root, ['logs', '--release', 'api@5']);
    expect(said.stdout).toContain('no such port');
    writeFiles(root, files('v6'));
    await run(system, root, ['deploy']);
    expect(await ask(port, '/web/')).toMatchObject({ status: 200, body: 'v6' });
    const again = await run(system, root, ['restart', 'web']);
    expect(again.stdout).toContain('all traffic');
    expect(await ask(port, '/web/')).toMatchObject({ status: 200, body: 'v6' });
  });
});
