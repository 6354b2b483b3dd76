import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { folder } from '../support/bad/app.ts';
import { beginProgram, CLI, run } from '../support/bad/command.ts';
import { processesIn } from '../support/bad/processes.ts';
import { errorOf, sharedSystem, told } from '../support/bad/shared-system.ts';
import { visit } from '../support/bad/visitors.ts';
import { openHome } from '../support/evenkeel-home.ts';
import { projectFolder } from '../support/system.ts';
import { tempDir } from '../support/temp.ts';

const system = sharedSystem();
const nothingStarted = (): void => expect(existsSync(system.paths.keeperInfo)).toBe(false);

describe('a file that cannot be meant', () => {
  test('is refused with all that is wrong, each with its line, and nothing is started', async () => {
    const root = projectFolder({
      'evenkeel.yaml': `project: shop
services:
  api:
    run: node main.js
    static: dist
    routs: [/]
  web:
    run: node web.js
    after: [api, nobody]
    health: { interval: soon }
`,
    });
    for (const verb of ['up', 'deploy', 'check']) {
      const refused = await system.cli([verb], { cwd: root });
      expect(refused.code, told(refused)).toBe(1);
      const text = refused.stdout + refused.stderr;
      for (const line of [4, 6, 9, 10]) expect(text).toMatch(new RegExp(`evenkeel\\.yaml:${line}\\b`));
      expect(text).toContain('did you mean');
      expect(text).toContain('routes');
      expect(text).toContain('nobody');
    }
    nothingStarted();
  });

  test('contradicts itself: services that wait for each other, routes that two have', async () => {
    const root = projectFolder({
      'evenkeel.yaml': `project: shop
services:
  a: { run: node a.js, after: [b], routes: [/] }
  b: { run: node b.js, after: [a], routes: [/] }
`,
    });
    const refused = await system.cli(['up'], { cwd: root });
    expect(refused.code, told(refused)).toBe(1);
    expect(refused.stderr).toMatch(/a.*b.*a/s);
    expect(refused.stderr).toMatch(/evenkeel\.yaml:[34]/);
    expect(refused.stderr).toContain('/');
    nothingStarted();
  });

  test('is no YAML at all, empty, or absent', async () => {
    for (const [text, line] of [
      ['project: shop\nservices:\n  api: [', 3],
      ['', 1],
      ['- a\n- b\n', 1],
    ] as const) {
      const refused = await system.cli(['up'], { cwd: projectFolder({ 'evenkeel.yaml': text }) });
      expect(refused.code, told(refused)).toBe(1);
      expect(refused.stderr, told(refused)).toMatch(new RegExp(`evenkeel\\.yaml:${line}\\b`));
    }
    const absent = await system.cli(['up', '--json'], { cwd: tempDir('empty') });
    expect(absent.code).toBe(1);
    expect(errorOf(absent)).toMatchObject({ code: 'no-project', next: expect.stringContaining('evenkeel init') });
    nothingStarted();
  });

  test('names a service on the command line that it does not have, or an environment', async () => {
    const root = projectFolder({ 'evenkeel.yaml': 'project: shop\nservices: { api: { run: node main.js } }\n' });
    const service = await system.cli(['deploy', 'apy', '--json'], { cwd: root });
    expect(service.code, told(service)).toBe(1);
    expect(errorOf(service)).toMatchObject({ code: 'service-unknown', next: expect.stringContaining('api') });
    const environment = await system.cli(['deploy', '--env', 'prodution', '--json'], { cwd: root });
    expect(environment.code, told(environment)).toBe(1);
    expect(told(environment)).toContain('production');
    nothingStarted();
  });
});

describe('a command line that cannot be meant', () => {
  test('is answered with what was meant', async () => {
    const cwd = tempDir('cwd');
    for (const [args, says] of [
      [['depoy'], 'evenkeel deploy'],
      [['deploy', '--replce'], '--replace'],
      [['secrets', 'sett', 'A'], 'set'],
      [['--jso'], '--help'],
      [['logs', '--lines', 'many'], '--lines'],
      [['up', '--wait', 'forever'], 'promoted'],
      [['rollback'], 'SERVICE'],
    ] as const) {
      const refused = await system.cli([...args], { cwd });
      expect(refused.code, told(refused)).toBe(1);
      expect(refused.stderr, told(refused)).toContain(says);
      expect(refused.stderr).toContain('(usage)');
    }
    const json = await system.cli(['depoy', '--json'], { cwd });
    expect(json.code).toBe(1);
    expect(errorOf(json)).toMatchObject({ code: 'usage', exit: 1 });
    nothingStarted();
  });
});

describe('a home that cannot be used', () => {
  const root = (): string =>
    projectFolder({ 'evenkeel.yaml': 'project: shop\nservices: { api: { run: node main.js } }\n' });
  const at = (home: string): NodeJS.ProcessEnv => ({ ...system.env, EVENKEEL_HOME: home });

  test('because a file is in its place', async () => {
    const file = join(tempDir('place'), 'file');
    writeFileSync(file, 'mine');
    for (const home of [file, join(file, 'below')]) {
      const refused = await run(at(home), ['up', '--json'], root());
      expect(refused.code, told(refused)).toBe(1);
      const { code, where, next, why } = errorOf(refused);
      expect(code).toBe('home-unusable');
      expect(where).toBe(home);
      expect(why).toBeTruthy();
      expect(next).toContain('EVENKEEL_HOME');
    }
    expect(readFileSync(file, 'utf8')).toBe('mine');
  });

  test('because nobody may write it', async () => {
    const home = join(tempDir('locked'), 'h');
    mkdirSync(home, { mode: 0o500 });
    const refused = await run(at(home), ['up', '--json'], root());
    expect(refused.code, told(refused)).toBe(1);
    expect(errorOf(refused)).toMatchObject({ code: 'home-unusable', where: home, next: `chmod 700 ${home}` });
  });

  test.runIf(process.getuid?.() === 0)('because its disk is mounted to be read only', async () => {
    const home = join(tempDir('readonly'), 'h');
    mkdirSync(home, { mode: 0o700 });
    const script = `mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "${CLI}" up --json`;
    const command = beginProgram('unshare', ['-m', 'sh', '-c', script, home], { env: at(home), cwd: root() });
    command.child.stdin.end();
    const refused = await command.ended;
    expect(refused.code, told(refused)).toBe(1);
    const { code, where, next } = errorOf(refused);
    expect(code).toBe('home-unusable');
    expect(where).toContain(home);
    expect(next).toContain('EVENKEEL_HOME');
    expect(processesIn(home)).toEqual([]);
  });

  test.runIf(process.getuid?.() === 0)('is not the folder of the project, which may be read only', async () => {
    const shop = await folder({ name: 'frozen' });
    const home = openHome(tempDir('apart'));
    try {
      const script = `mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && cd "$0" && exec "${CLI}" up`;
      const command = beginProgram('unshare', ['-m', 'sh', '-c', script, shop.root], { env: home.env, cwd: shop.root });
      command.child.stdin.end();
      const up = await command.ended;
      expect(up.code, told(up)).toBe(0);
      expect(await visit(shop.port)).toMatchObject({ status: 200, version: 'v1' });
    } finally {
      await home.stop();
    }
  });

  test('is no matter for who only asks', async () => {
    const home = join(tempDir('absent'), 'h');
    const asked = await run(at(home), ['status', '--json'], root());
    expect(asked.code, told(asked)).toBe(1);
    expect(errorOf(asked)).toMatchObject({ code: 'server-not-running', next: expect.stringContaining('evenkeel up') });
    expect(existsSync(home)).toBe(false);
  });
});
