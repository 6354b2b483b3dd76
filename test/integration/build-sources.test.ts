import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { aBuilder, aProject, aRequest, aService, build, built, commitAll, git } from '../support/build-fixture.ts';
import { tempDir } from '../support/temp.ts';

/** Lists what a build finds in its folder. */
const LOOK = 'find . -type f -o -type l | sort';

async function sourceOf(root: string, given = {}): Promise<string[]> {
  const { builder } = aBuilder();
  const request = aRequest(root, { service: aService({ build: LOOK, ...given }) });
  await built(builder, request);
  return readFileSync(request.log, 'utf8').trim().split('\n').filter((line) => !line.startsWith('[evenkeel]')).map((line) => line.slice(2)); // prettier-ignore
}

describe('the clean copy of a build', () => {
  const files = {
    'tracked.txt': '1',
    'sub/.gitignore': 'local\n!kept.log\n',
    'sub/local': 'x',
    'sub/kept.log': 'x',
    'sub/other.log': 'x',
    '.gitignore': '*.log\nnode_modules\n/dist\n',
    'dist/out.js': 'x',
    'node_modules/dep/index.js': 'x',
    '.env': 'SECRET=1',
    'sub/.env.local': 'SECRET=1',
    'storage/upload': 'x',
  };
  const expected = ['.gitignore', 'sub/.gitignore', 'sub/kept.log', 'tracked.txt'];

  test('holds what git would commit, and what is new', async () => {
    const root = aProject(files);
    commitAll(root);
    aProject({ 'new file.txt': 'not yet added', 'ünï\ncode.txt': 'x' }, root);
    rmSync(join(root, 'tracked.txt'));
    const listed = await sourceOf(root, {
      data: ['storage'],
      build: 'find . -type f -print0 | sort -z | tr "\\n\\0" "?\\n"',
    });
    expect(listed).toEqual(['.gitignore', 'new file.txt', 'sub/.gitignore', 'sub/kept.log', 'ünï?code.txt']);
  });

  test('honours .gitignore without a repository as well', async () => {
    expect(await sourceOf(aProject(files), { data: ['storage'] })).toEqual(expected);
  });

  test('is not guessed where git cannot say what it is', async () => {
    const root = aProject(files);
    commitAll(root);
    writeFileSync(join(root, '.git/index'), 'damaged');
    const { builder } = aBuilder();
    expect(await build(builder, aRequest(root, { service: aService({ build: 'true' }) }))).toMatchObject({
      state: 'failed',
      detail: expect.stringContaining('git could not list the files'),
    });
  });

  test('and its facts are read without waiting for a pipe that has the name of a file of ours', async () => {
    const root = aProject({ 'a.txt': 'x' });
    for (const name of ['.gitignore', 'package.json']) execFileSync('/usr/bin/env', ['mkfifo', join(root, name)]);
    expect(await sourceOf(root, {})).toEqual(['a.txt']);
    expect(await aBuilder().builder.sourceInfo(root, null)).toMatchObject({ commit: null, label: null });
  });

  test('does not take a folder for empty that a repository further up ignores', async () => {
    const outer = aProject({ '.gitignore': 'mine\n', 'a.txt': 'x' });
    commitAll(outer);
    expect(await sourceOf(aProject(files, join(outer, 'mine')), { data: ['storage'] })).toEqual(expected);
  });

  test('holds a part of a repository alone, submodules with their files', async () => {
    const library = aProject({ 'lib.txt': 'x' });
    commitAll(library);
    const outer = aProject({ 'app/main.txt': 'x', 'elsewhere.txt': 'x' });
    commitAll(outer);
    git(outer, 'submodule', 'add', '-q', library, 'app/vendor');
    expect(await sourceOf(join(outer, 'app'))).toEqual(['main.txt', 'vendor/lib.txt']);
  });

  test('runs no program that a repository brings along', async () => {
    const root = aProject({ 'a.txt': 'x' });
    commitAll(root);
    const witness = join(tempDir('witness'), 'ran');
    const hook = join(root, '.git/hooks/post-index-change');
    for (const program of [hook, join(root, '.git/monitor')]) {
      writeFileSync(program, `#!/bin/sh\necho ran >> ${witness}\n`);
      chmodSync(program, 0o755);
    }
    git(root, 'config', 'core.fsmonitor', join(root, '.git/monitor'));
    const { builder } = aBuilder();
    await built(builder, aRequest(root, { service: aService({ build: 'true' }) }));
    await builder.sourceInfo(root, null);
    expect(existsSync(witness)).toBe(false);
  });

  test('is read by a command that runs in the folder of the service, with modes kept', async () => {
    const root = aProject({ 'app/run.sh': '#!/bin/sh\necho built > out.txt\n' });
    chmodSync(join(root, 'app/run.sh'), 0o755);
    commitAll(root);
    const { builder } = aBuilder();
    const { path } = await built(builder, aRequest(root, { service: aService({ dir: 'app', build: './run.sh' }) }));
    expect(readFileSync(join(path, 'app/out.txt'), 'utf8')).toBe('built\n');
    expect(statSync(join(path, 'app/run.sh')).mode & 0o777).toBe(0o555);
  });
});

describe('what does not belong into an artifact', () => {
  test('a link out of the project and a pipe are left out, and the log says so', async () => {
    const secret = aProject({ 'secret.txt': 'x' });
    const root = aProject({ 'a/real.txt': 'x' });
    symlinkSync('real.txt', join(root, 'a/relative'));
    symlinkSync(join(root, 'a'), join(root, 'absolute'));
    symlinkSync('nowhere', join(root, 'dangling'));
    symlinkSync(join(secret, 'secret.txt'), join(root, 'outside'));
    symlinkSync('../../../../../../etc/passwd', join(root, 'a/climbing'));
    symlinkSync('/usr/bin/env', join(root, 'program'));
    symlinkSync(secret, join(root, 'door'));
    symlinkSync('door/secret.txt', join(root, 'through'));
    execFileSync('/usr/bin/env', ['mkfifo', join(root, 'pipe')]);
    const { builder } = aBuilder();
    const request = aRequest(root);
    const { path, detail } = await built(builder, request);
    expect(readlinkSync(join(path, 'a/relative'))).toBe('real.txt');
    expect(readlinkSync(join(path, 'absolute'))).toBe('a');
    expect(readlinkSync(join(path, 'dangling'))).toBe('nowhere');
    expect(readlinkSync(join(path, 'program'))).toBe('/usr/bin/env');
    for (const gone of ['outside', 'a/climbing', 'door', 'through', 'pipe'])
      expect(lstatSync(join(path, gone), { throwIfNoEntry: false })).toBe(undefined);
    const log = readFileSync(request.log, 'utf8');
    expect(log).toContain('the link outside leads out of the project');
    expect(log).toContain('pipe is neither file, folder nor link');
    expect(detail).toContain('5 left out');
  });

  test('evenkeel itself, where its home lies in the project', async () => {
    const root = aProject({ 'a.txt': 'x' });
    const home = join(root, '.state');
    mkdirSync(home);
    const { builder } = aBuilder(home);
    const first = await built(builder, aRequest(root));
    expect(existsSync(join(first.path, '.state'))).toBe(false);
    expect(await built(builder, aRequest(root))).toMatchObject({ artifact: first.artifact, reused: true });
  });
});

describe('a project that changes', () => {
  test('each file is taken as it was at one moment, whoever writes to it meanwhile', async () => {
    const root = aProject(Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`f${i}.txt`, 'x'.repeat(2000)])));
    const { builder } = aBuilder();
    let going = true;
    // Whole lines, in one write each: half of one would show.
    const writing = (async () => {
      for (let i = 0; going && i < 400; i++) {
        appendFileSync(join(root, `f${i % 300}.txt`), `${'y'.repeat(1999)}\n`);
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    const { artifact, path } = await built(builder, aRequest(root));
    going = false;
    await writing;
    for (let i = 0; i < 300; i++) expect(statSync(join(path, `f${i}.txt`)).size % 2000).toBe(0);
    expect(await builder.has(artifact)).toBe(true);
  });

  test('a change within the same second, of the same length, is noticed', async () => {
    const root = aProject({ 'a.txt': '0' });
    const { builder } = aBuilder();
    const seen = new Set<string>();
    for (let i = 0; i < 10; i++) {
      writeFileSync(join(root, 'a.txt'), String(i));
      seen.add(await builder.inputDigest(root, aService({ build: 'true' })));
    }
    expect(seen.size).toBe(10);
  });

  test('another command, folder or variable is another input; another name or another secret is not', async () => {
    const root = aProject({ 'a/a.txt': '0' });
    const { builder } = aBuilder();
    const digest = (given = {}) => builder.inputDigest(root, aService({ build: 'true', ...given }));
    const others = [{ build: 'false' }, { dir: 'a' }, { env: { A: ['1'] } }, { env: { A: [{ secret: 'B' }] } }];
    expect(new Set([await digest(), ...(await Promise.all(others.map(digest)))]).size).toBe(5);
    expect(await digest({ name: 'other', instances: 3 })).toBe(await digest());
  });

  test.each([
    ['is gone', (root: string) => rmSync(root, { recursive: true }), 'does not exist any more'],
    ['is a file', (root: string) => (rmSync(root, { recursive: true }), writeFileSync(root, '')), 'is not a folder'],
  ])('a project whose folder %s fails in those words', async (_, harm, words) => {
    const { builder } = aBuilder();
    const root = aProject({ 'a.txt': 'x' });
    harm(root);
    const end = await build(builder, aRequest(root));
    expect(end.state).toBe('failed');
    expect(end.detail).toContain(words);
  });

  test.each([
    [{ kind: 'static' as const, static: { dir: 'dist', spa: false }, run: null }, 'dist, which `static` names'],
    [
      { kind: 'static' as const, static: { dir: 'dist', spa: false }, run: null, build: 'true' },
      'The build left no folder dist',
    ],
    [{ dir: 'services/api' }, 'no folder services/api'],
    [{ dir: 'services/api', build: 'true' }, 'no folder services/api'],
  ])('a release that would have nothing to run or serve is refused: %j', async (given, words) => {
    const { builder } = aBuilder();
    const end = await build(builder, aRequest(aProject({ 'a.txt': 'x' }), { service: aService(given) }));
    expect(end.state).toBe('failed');
    expect(end.detail).toContain(words);
  });
});

describe('where the source comes from', () => {
  test('outside of a repository the version of package.json is all there is', async () => {
    const { builder } = aBuilder();
    expect(await builder.sourceInfo(aProject({ 'a.txt': '' }), null)).toEqual({
      commit: null,
      dirty: false,
      label: null,
    });
    expect(await builder.sourceInfo(aProject({ 'package.json': '{"version":"1.2.3"}' }), null)).toEqual({
      commit: null,
      dirty: false,
      label: 'v1.2.3',
    });
    expect(await builder.sourceInfo(aProject({ 'package.json': '{' }), 'given')).toEqual({
      commit: null,
      dirty: false,
      label: 'given',
    });
  });

  test('in a repository it is the commit, the tag on it, and whether there is more', async () => {
    const { builder } = aBuilder();
    const root = aProject({ 'package.json': '{"version":"1.2.3"}', '.gitignore': 'ignored\n' });
    git(root, 'init', '-q');
    expect(await builder.sourceInfo(root, null)).toEqual({ commit: null, dirty: true, label: 'v1.2.3' });
    const commit = commitAll(root);
    aProject({ ignored: 'x' }, root);
    expect(await builder.sourceInfo(root, null)).toEqual({ commit, dirty: false, label: 'v1.2.3' });
    git(root, 'tag', 'v1.9.0');
    git(root, 'tag', '-a', 'v1.10.0', '-m', 'ten');
    expect(await builder.sourceInfo(root, null)).toEqual({ commit, dirty: false, label: 'v1.10.0' });
    expect(await builder.sourceInfo(root, 'mine')).toEqual({ commit, dirty: false, label: 'mine' });
    aProject({ 'new.txt': 'x' }, root);
    expect(await builder.sourceInfo(root, null)).toMatchObject({ commit, dirty: true });
  });
});
