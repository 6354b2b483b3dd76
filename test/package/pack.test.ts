import { execFile } from 'node:child_process';
import { globSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { tempDir } from '../support/temp.ts';

const root = join(import.meta.dirname, '../..');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };

/** The environment of a person: no trace of the npm and the Node that run this test. */
const env = Object.fromEntries(
  Object.entries(process.env)
    .filter(([name]) => !/^(npm_|INIT_CWD|NODE_OPTIONS|NODE_ENV|VITEST)/i.test(name))
    .map(([name, value]) => [name, name === 'PATH' ? withoutOurs(value ?? '') : value]),
);

function withoutOurs(path: string): string {
  return path
    .split(':')
    .filter((folder) => !folder.includes('node_modules'))
    .join(':');
}

async function run(cwd: string, program: string, ...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(program, args, { cwd, env, maxBuffer: 16 << 20 });
  return stdout;
}

describe('the npm package', () => {
  let folder = '';
  let unpacked = '';

  beforeAll(async () => {
    const tarballs = tempDir('pack');
    await run(root, 'npm', 'pack', '--silent', '--pack-destination', tarballs);
    const [tarball] = globSync('*.tgz', { cwd: tarballs });
    folder = tempDir('user');
    writeFileSync(join(folder, 'package.json'), '{ "name": "somebody", "private": true }\n');
    await run(folder, 'npm', 'install', '--no-audit', '--no-fund', join(tarballs, tarball ?? 'no tarball was made'));
    unpacked = join(folder, 'node_modules/evenkeel');
  }, 300_000);

  test('says its version', async () => {
    expect((await run(folder, 'npx', '--no-install', 'evenkeel', '--version')).trim()).toBe(version);
  });

  test('says how to use it', async () => {
    expect(await run(folder, 'npx', '--no-install', 'evenkeel', '--help')).toMatch(/usage/i);
  });

  test('runs from another folder, behind a link of the user', async () => {
    const elsewhere = tempDir('elsewhere');
    mkdirSync(join(elsewhere, 'bin'));
    symlinkSync(join(folder, 'node_modules/.bin/evenkeel'), join(elsewhere, 'bin/evenkeel'));
    expect((await run(elsewhere, join(elsewhere, 'bin/evenkeel'), '--version')).trim()).toBe(version);
  });

  test('carries what it runs, and neither sources nor tests', () => {
    const shipped = globSync('**/*', { cwd: unpacked, exclude: ['node_modules'] });
    expect(shipped).toEqual(expect.arrayContaining(['LICENSE', 'package.json', 'bin/evenkeel', 'dist/bin.js']));
    expect(shipped.filter((file) => /\.ts$|^(src|test|scripts|bench)\b/.test(file))).toEqual([]);
    const assets = globSync('**/*.*', { cwd: join(root, 'src') }).filter((file) => !file.endsWith('.ts'));
    expect(shipped).toEqual(expect.arrayContaining(assets.map((file) => `dist/${file}`)));
  });
});

describe('bin/evenkeel of a clone', () => {
  test('runs from any folder, behind a link', async () => {
    const elsewhere = tempDir('elsewhere');
    symlinkSync(join(root, 'bin/evenkeel'), join(elsewhere, 'ek'));
    expect((await run(elsewhere, './ek', '--version')).trim()).toBe(version);
  });
});
