import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { aBuilder, aProject, aRequest, aService, build, built, commitAll } from '../support/build-fixture.ts';
import { tempDir } from '../support/temp.ts';

describe('a service with a build', () => {
  test('is built in a clean copy, by its own command, and leaves the project alone', async () => {
    const { builder } = aBuilder();
    const root = aProject({ 'src/main.txt': 'hello', '.gitignore': 'dist\n' });
    commitAll(root);
    const service = aService({
      build: 'mkdir dist && tr a-z A-Z < src/main.txt > dist/main.txt && echo "$CI $GREETING"',
    });
    const request = aRequest(root, { service, env: { GREETING: 'ahoy' } });
    const { path, reused } = await built(builder, request);
    expect(readFileSync(join(path, 'dist/main.txt'), 'utf8')).toBe('HELLO');
    expect(existsSync(join(root, 'dist'))).toBe(false);
    expect(reused).toBe(false);
    expect(readFileSync(request.log, 'utf8')).toContain('true ahoy');
  });

  test('is not built again while its input is unchanged, and is when it changes', async () => {
    const { builder } = aBuilder();
    const root = aProject({ 'a.txt': '1' });
    const witness = join(tempDir('witness'), 'runs');
    const service = aService({ build: `echo run >> ${witness}; cp a.txt b.txt` });
    const first = await built(builder, aRequest(root, { service }));
    const second = await built(builder, aRequest(root, { service }));
    expect(second).toMatchObject({ artifact: first.artifact, reused: true });
    expect(readFileSync(witness, 'utf8')).toBe('run\n');
    expect(await builder.artifactOf(await builder.inputDigest(root, service))).toBe(first.artifact);

    writeFileSync(join(root, 'a.txt'), '2');
    expect(await builder.artifactOf(await builder.inputDigest(root, service))).toBe(null);
    const third = await built(builder, aRequest(root, { service }));
    expect(third.reused).toBe(false);
    expect(readFileSync(join(third.path, 'b.txt'), 'utf8')).toBe('2');
    expect(readFileSync(join(first.path, 'b.txt'), 'utf8')).toBe('1');
    expect(readFileSync(witness, 'utf8')).toBe('run\nrun\n');
  });

  test('links files that are the same in two artifacts, and nobody may write to them', async () => {
    const { builder } = aBuilder();
    const root = aProject({ 'same.txt': 'same', 'copy.txt': 'same', 'a.txt': '1' });
    const service = aService({ build: 'chmod +x a.txt' });
    const first = await built(builder, aRequest(root, { service }));
    writeFileSync(join(root, 'a.txt'), '2');
    const second = await built(builder, aRequest(root, { service }));
    const inode = (path: string) => statSync(path).ino;
    expect(second.artifact).not.toBe(first.artifact);
    expect(inode(join(second.path, 'same.txt'))).toBe(inode(join(first.path, 'same.txt')));
    expect(inode(join(first.path, 'copy.txt'))).toBe(inode(join(first.path, 'same.txt')));
    expect(statSync(join(first.path, 'same.txt')).mode & 0o777).toBe(0o444);
    expect(statSync(join(first.path, 'a.txt')).mode & 0o777).toBe(0o555);
  });

  test('says how its command failed, with its last lines', async () => {
    const { builder } = aBuilder();
    const root = aProject({ 'a.txt': '1' });
    const service = aService({ build: 'for i in $(seq 100); do echo line $i; done; exit 3' });
    const end = await build(builder, aRequest(root, { service }));
    expect(end.state).toBe('failed');
    expect(end.detail).toContain('exit code 3');
    expect(end.detail).toContain('line 100');
    expect(end.detail).toContain('line 81');
    expect(end.detail).not.toContain('line 80\n');
  });

  test('whose input two services share is built once', async () => {
    const { builder } = aBuilder();
    const root = aProject({ 'a.txt': '1' });
    const witness = join(tempDir('witness'), 'runs');
    const command = `echo run >> ${witness}; sleep 0.3; cp a.txt b.txt`;
    const ends = await Promise.all(
      ['api', 'mail'].map((name) => built(builder, aRequest(root, { service: aService({ name, build: command }) }))),
    );
    expect(ends.filter(({ reused }) => reused)).toHaveLength(1);
    expect(ends[0]?.artifact).toBe(ends[1]?.artifact);
    expect(readFileSync(witness, 'utf8')).toBe('run\n');
  });
});

describe('a service without a build', () => {
  test('is released as it lies there, node_modules and ignored files included', async () => {
    const { builder } = aBuilder();
    const root = aProject({
      'main.js': 'x',
      'node_modules/dep/index.js': 'y',
      'dist/out.js': 'z',
      '.gitignore': 'dist\nnode_modules\n',
      '.env': 'KEY=secret',
      '.env.production': 'KEY=secret',
      'storage/upload.bin': 'data',
    });
    commitAll(root);
    const { path } = await built(builder, aRequest(root, { service: aService({ data: ['storage'] }) }));
    for (const there of ['main.js', 'node_modules/dep/index.js', 'dist/out.js', '.gitignore'])
      expect(existsSync(join(path, there))).toBe(true);
    for (const gone of ['.git', '.env', '.env.production', 'storage']) expect(existsSync(join(path, gone))).toBe(false);
  });
});
