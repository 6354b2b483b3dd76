import { execFile, spawn } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { beforeEach, describe, expect, test } from 'vitest';
import { tempDir } from '../support/temp.ts';
import { waitFor } from '../support/wait.ts';

const root = join(import.meta.dirname, '../..');

interface Outcome {
  code: number | string;
  output: string;
}

/** A clone with little in it, and an `npm` that notes its calls and copies the lockfile as npm does. */
let clone = '';
let env: NodeJS.ProcessEnv = {};

beforeEach(() => {
  clone = tempDir('clone');
  mkdirSync(join(clone, 'scripts'));
  copyFileSync(join(root, 'scripts/setup.mjs'), join(clone, 'scripts/setup.mjs'));
  write('package.json', JSON.stringify({ optionalDependencies: { [`node-linux-${process.arch}`]: '24.0.0' } }));
  lock('1.0.0');
  npm(`mkdir -p node_modules/.bin
ln -sf "${process.execPath}" node_modules/.bin/node
cp package-lock.json node_modules/.package-lock.json`);
  env = { ...process.env, PATH: [join(clone, 'fake'), process.env['PATH']].join(delimiter) };
});

function write(file: string, text: string): void {
  writeFileSync(join(clone, file), text);
}

function lock(version: string): void {
  write(
    'package-lock.json',
    JSON.stringify({ packages: { '': {}, 'node_modules/a': { version, integrity: version } } }),
  );
}

function npm(script: string): void {
  mkdirSync(join(clone, 'fake'), { recursive: true });
  write('fake/npm', `#!/bin/sh\necho "$@" >> calls\n${script}\n`);
  chmodSync(join(clone, 'fake/npm'), 0o755);
}

/** The calls of npm so far, one string of arguments each. */
function calls(): string[] {
  try {
    return readFileSync(join(clone, 'calls'), 'utf8').trim().split('\n');
  } catch {
    return [];
  }
}

function setUp(): Promise<Outcome> {
  return promisify(execFile)(process.execPath, ['scripts/setup.mjs'], { cwd: clone, env }).then(
    ({ stdout, stderr }) => ({ code: 0, output: stdout + stderr }),
    (error: { code: number; stdout: string; stderr: string }) => ({
      code: error.code,
      output: error.stdout + error.stderr,
    }),
  );
}

describe('the set-up of a clone', () => {
  test('installs once, and says nothing when there is nothing to do', async () => {
    expect(await setUp()).toMatchObject({ code: 0, output: expect.stringContaining('installed in') });
    expect(await setUp()).toEqual({ code: 0, output: '' });
    expect(calls()).toHaveLength(1);
    expect(calls()[0]).toMatch(/^ci /);
  });

  test('installs again when the lockfile has changed', async () => {
    await setUp();
    lock('2.0.0');
    expect((await setUp()).code).toBe(0);
    expect(calls()).toHaveLength(2);
  });

  test('installs once when several start at the same time', async () => {
    npm(`sleep 0.5\n${readFileSync(join(clone, 'fake/npm'), 'utf8').split('\n').slice(2).join('\n')}`);
    const outcomes = await Promise.all([setUp(), setUp(), setUp()]);
    expect(outcomes.map(({ code }) => code)).toEqual([0, 0, 0]);
    expect(calls()).toHaveLength(1);
  });

  test('waits for an install whose set-up was killed, and then goes on', async () => {
    const install = readFileSync(join(clone, 'fake/npm'), 'utf8').split('\n').slice(2).join('\n');
    npm(`until [ -e go ]; do sleep 0.05; done\n${install}`);
    const first = spawn(process.execPath, ['scripts/setup.mjs'], { cwd: clone, env, stdio: 'ignore' });
    await waitFor(() => calls().length === 1 && / \d/.test(readFileSync(join(clone, '.install-lock/pids'), 'utf8')), {
      what: 'npm to be started and noted',
    });
    first.kill('SIGKILL');
    const second = setUp();
    write('go', '');
    expect((await second).code).toBe(0);
    expect(calls()).toHaveLength(1);
  });

  test('takes over from a set-up that is dead', async () => {
    mkdirSync(join(clone, '.install-lock'));
    const gone = spawn('true');
    await waitFor(() => gone.exitCode !== null, { what: 'a process to be over' });
    write('.install-lock/pids', String(gone.pid));
    expect((await setUp()).code).toBe(0);
  });

  test.each([
    ['no registry', 'npm error code ECONNREFUSED', /registry could not be reached[^]*npm config get registry/],
    ['a lockfile that does not fit', 'npm error code EUSAGE', /does not fit package\.json[^]*complete-lock/],
    ['a full disk', 'npm error code ENOSPC', /disk is full/],
    ['anything else', 'npm error something odd', /something odd[^]*npm ci/],
  ])('%s: says what happened and what to do', async (_, said, expected) => {
    npm(`echo '${said}' >&2; exit 1`);
    const { code, output } = await setUp();
    expect(code).toBe(1);
    expect(output).toMatch(expected);
    expect(output).not.toMatch(/^\s+at /m);
  });

  test('refuses a machine that has no pinned Node, before it installs anything', async () => {
    write('package.json', JSON.stringify({ optionalDependencies: { 'node-linux-mips': '24.0.0' } }));
    expect(await setUp()).toMatchObject({ code: 1, output: expect.stringContaining('linux-mips') });
    expect(calls()).toEqual([]);
  });
});

describe('npm scripts', () => {
  test.each(['test', 'demo', 'bench'])(
    'npm run %s -- --json hands its arguments to the program on the pinned Node',
    async (name) => {
      const project = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
        scripts: Record<string, string>;
      };
      const folder = tempDir('scripts');
      mkdirSync(join(folder, 'scripts'));
      mkdirSync(join(folder, 'node_modules/.bin'), { recursive: true });
      symlinkSync(process.execPath, join(folder, 'node_modules/.bin/node'));
      writeFileSync(join(folder, 'scripts/setup.mjs'), '');
      writeFileSync(join(folder, 'show.cjs'), 'console.log(JSON.stringify([process.argv0, ...process.argv.slice(2)]))');
      const scripts = { ...project.scripts, [`${name}:run`]: 'node show.cjs' };
      writeFileSync(join(folder, 'package.json'), JSON.stringify({ scripts }));
      const { stdout } = await promisify(execFile)('npm', ['run', '-s', name, '--', '--json', 'two words'], {
        cwd: folder,
      });
      expect(JSON.parse(stdout)).toEqual(['node', '--json', 'two words']);
    },
  );
});
