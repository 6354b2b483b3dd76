import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { bindUnixSocket, isFailure } from '../../src/platform/listen-handle.ts';
import { ensurePrivateFolder, evenkeelPaths, prepareHome } from '../../src/platform/paths.ts';
import { tempDir } from '../support/temp.ts';

const mode = (path: string): number => statSync(path).mode & 0o777;

test('the home is EVENKEEL_HOME, else the XDG state folder, else the usual place below the home of the user', () => {
  expect(evenkeelPaths({ EVENKEEL_HOME: '/srv/ek', XDG_STATE_HOME: '/state', HOME: '/home/ada' }).home).toBe('/srv/ek');
  expect(evenkeelPaths({ XDG_STATE_HOME: '/state', HOME: '/home/ada' }).home).toBe('/state/evenkeel');
  expect(evenkeelPaths({ HOME: '/home/ada' }).home).toBe('/home/ada/.local/state/evenkeel');
  expect(evenkeelPaths({ EVENKEEL_HOME: '', XDG_STATE_HOME: 'relative', HOME: '/home/ada' }).home).toBe(
    '/home/ada/.local/state/evenkeel',
  );
});

test('the key of the secrets lies outside the home', () => {
  const paths = evenkeelPaths({ EVENKEEL_HOME: '/srv/ek', HOME: '/home/ada' });
  expect(paths.secretsKey).toBe('/home/ada/.config/evenkeel/secrets.key');
  expect(paths.secretsFile.startsWith('/srv/ek/')).toBe(true);
  expect(evenkeelPaths({ EVENKEEL_SECRETS_KEY_FILE: '/keys/ek', HOME: '/home/ada' }).secretsKey).toBe('/keys/ek');
  expect(evenkeelPaths({ EVENKEEL_SIGN_IN: '/etc/sign-in.yaml', HOME: '/home/ada' }).signIn).toBe('/etc/sign-in.yaml');
  expect(evenkeelPaths({ EVENKEEL_HOME: '/srv/ek', HOME: '/home/ada' }).signIn).toBe('/srv/ek/sign-in.yaml');
});

test('sockets stay within the limit of the kernel however deep the home lies, and differ between homes', () => {
  const deep = (name: string) =>
    evenkeelPaths({ EVENKEEL_HOME: `/srv/${'deep/'.repeat(30)}${name}`, HOME: '/home/ada' });
  for (const socket of [deep('a').controllerSocket, deep('a').edgeSocket]) {
    expect(Buffer.byteLength(socket)).toBeLessThanOrEqual(107);
  }
  expect(deep('a').run).toBe(evenkeelPaths({ EVENKEEL_HOME: deep('a').home, XDG_RUNTIME_DIR: '/run/user/1' }).run);
  expect(deep('a').run).not.toBe(deep('b').run);
  expect(evenkeelPaths({ EVENKEEL_HOME: '/srv/ek' }).controllerSocket).toBe('/srv/ek/run/controller.sock');
});

test('a socket can be made in a home of any length, the last one that fits inside it too', () => {
  const base = tempDir('x');
  const lengths = Array.from({ length: 40 }, (_, i) => 60 + i).filter((length) => length > Buffer.byteLength(base) + 1);
  for (const length of lengths) {
    const home = join(base, 'h'.repeat(length - Buffer.byteLength(base) - 1));
    const paths = evenkeelPaths({ EVENKEEL_HOME: home });
    prepareHome(paths);
    if (!paths.run.startsWith(home)) onTestFinished(() => rmSync(paths.run, { recursive: true, force: true }));
    const socket = bindUnixSocket(paths.controllerSocket);
    expect(isFailure(socket), `a home of ${length} bytes`).toBe(false);
    expect(existsSync(paths.controllerSocket), `a home of ${length} bytes`).toBe(true);
    if (!isFailure(socket)) socket.close();
  }
});

test('the home is made for its owner alone, with everything in it, and again without complaint', () => {
  const home = join(tempDir(), 'made', 'deeply');
  const paths = evenkeelPaths({ EVENKEEL_HOME: home });
  prepareHome(paths);
  prepareHome(paths);
  for (const folder of [paths.home, paths.run, paths.edgeDir, paths.artifacts, paths.logs]) {
    expect(mode(folder)).toBe(0o700);
  }
});

test('an empty folder made for us is closed to others; one with something in it is left alone and refused', () => {
  const empty = join(tempDir(), 'empty');
  mkdirSync(empty);
  chmodSync(empty, 0o755);
  ensurePrivateFolder(empty);
  expect(mode(empty)).toBe(0o700);

  const used = join(tempDir(), 'used');
  mkdirSync(used);
  chmodSync(used, 0o755);
  writeFileSync(join(used, 'letter'), '');
  expect(() => ensurePrivateFolder(used)).toThrow(
    expect.objectContaining({ code: 'home-unusable', where: used, next: `chmod 700 ${used}` }),
  );
  expect(mode(used)).toBe(0o755);
});

test('a home that is a file, or below one, is refused with the place and a next step', () => {
  const file = join(tempDir(), 'file');
  writeFileSync(file, '');
  for (const home of [file, join(file, 'below')]) {
    expect(() => prepareHome(evenkeelPaths({ EVENKEEL_HOME: home }))).toThrow(
      expect.objectContaining({ code: 'home-unusable', where: home, next: expect.stringContaining('EVENKEEL_HOME') }),
    );
  }
});

test.skipIf(process.getuid?.() !== 0)('the folder of another user is refused', async () => {
  const { chownSync } = await import('node:fs');
  const foreign = join(tempDir(), 'foreign');
  mkdirSync(foreign, { mode: 0o700 });
  chownSync(foreign, 12345, 12345);
  onTestFinished(() => chownSync(foreign, 0, 0));
  expect(() => ensurePrivateFolder(foreign)).toThrow(expect.objectContaining({ code: 'home-unusable' }));
});

test.each([
  ['below a link to nowhere, as of a disk that is not mounted', (folder: string) => join(folder, 'link', 'home')],
  ['where nobody can make a folder', () => '/proc/evenkeel'],
  ['below a file', (folder: string) => join(folder, 'file', 'home')],
])('a home %s is refused at once', (_, homeIn) => {
  const folder = tempDir();
  symlinkSync('/nowhere/at/all', join(folder, 'link'));
  writeFileSync(join(folder, 'file'), '');
  // In a process of its own: one that never returns cannot be ended from within.
  const program = `
    import { evenkeelPaths, prepareHome } from ${JSON.stringify(new URL('../../src/platform/paths.ts', import.meta.url).href)};
    try { prepareHome(evenkeelPaths(process.env)); } catch (error) { console.log(error.code); }`;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
    env: { ...process.env, EVENKEEL_HOME: homeIn(folder) },
    encoding: 'utf8',
    timeout: 20_000,
    killSignal: 'SIGKILL',
  });
  expect(stdout.trim()).toBe('home-unusable');
});
