import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { packContext } from '../../../src/drivers/cloud/google/build/archive.ts';
import { tempDir } from '../../support/temp.ts';

function write(folder: string, files: Record<string, string>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

async function packed(context: string, dockerfile = join(context, 'Dockerfile'), leaveOut: string[] = []) {
  const archive = await packContext(context, dockerfile, new AbortController().signal, leaveOut);
  onTestFinished(() => rmSync(archive.file, { force: true }));
  const out = tempDir('out');
  execFileSync('tar', ['-xzf', archive.file, '-C', out]);
  const paths = readdirSync(out, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(out.length + 1))
    .toSorted();
  return { archive, out, paths };
}

describe('the archive of a build context', () => {
  test('tar unpacks what was packed: long and odd names, links, what can be run', async () => {
    const context = tempDir('context');
    const long = `${'folder-of-many-letters/'.repeat(8)}${'f'.repeat(120)}.txt`;
    write(context, {
      Dockerfile: 'FROM node\n',
      [long]: 'far',
      'ünïcode ☃.txt': 'odd',
      empty: '',
      'run.sh': '#!/bin/sh\n',
    });
    execFileSync('chmod', ['755', join(context, 'run.sh')]);
    symlinkSync('run.sh', join(context, 'link.sh'));
    const { out, paths } = await packed(context);
    expect(paths).toEqual(['Dockerfile', 'empty', long, 'link.sh', 'run.sh', 'ünïcode ☃.txt'].toSorted());
    expect(readFileSync(join(out, long), 'utf8')).toBe('far');
    expect(readFileSync(join(out, 'link.sh'), 'utf8')).toBe('#!/bin/sh\n');
    expect(statSync(join(out, 'run.sh')).mode & 0o100).not.toBe(0);
    expect(statSync(join(out, 'empty')).mode & 0o100).toBe(0);
  });

  test('property 12: of packages that a service does not need only the package.json is packed', async () => {
    const context = tempDir('context');
    write(context, {
      Dockerfile: 'FROM node\n',
      'packages/shared/index.js': '1',
      'packages/other/package.json': '{}',
      'packages/other/index.js': '2',
      'packages/other/inner/package.json': '{}',
      'packages/otherwise/index.js': '3',
    });
    const { paths } = await packed(context, join(context, 'Dockerfile'), ['packages/other']);
    expect(paths).toEqual([
      'Dockerfile',
      'packages/other/package.json',
      'packages/otherwise/index.js',
      'packages/shared/index.js',
    ]);
  });

  test('equal sources give equal digests, whenever they were written; other sources another', async () => {
    const context = tempDir('context');
    write(context, { Dockerfile: 'FROM node\n', 'src/a.js': '1' });
    const first = await packed(context);
    utimesSync(join(context, 'src/a.js'), 1, 1);
    const second = await packed(context);
    expect(second.archive.digest).toBe(first.archive.digest);
    write(context, { 'src/a.js': '2' });
    expect((await packed(context)).archive.digest).not.toBe(first.archive.digest);
  });

  test.each([
    ['.gcloudignore', 'node_modules/\n*.log\n#!include:.gitignore\n', ['.gitignore', 'Dockerfile', 'src/a.js']],
    ['.dockerignore', 'node_modules\n**/*.log\nsecret\n', ['.dockerignore', '.gitignore', 'Dockerfile', 'src/a.js']],
    [null, '', ['.gitignore', 'Dockerfile', 'node_modules/x.js', 'src/a.js', 'src/deep.log', 'top.log']],
  ])('leaves out what %s says, and history always', async (file, text, expected) => {
    const context = tempDir('context');
    write(context, {
      Dockerfile: 'FROM node\n',
      '.gitignore': 'secret\n',
      '.git/config': 'x',
      'node_modules/x.js': 'x',
      'src/a.js': 'x',
      'src/deep.log': 'x',
      'top.log': 'x',
      secret: 'x',
    });
    if (file !== null) write(context, { [file]: text });
    expect((await packed(context)).paths).toEqual(expected);
  });

  test('a Dockerfile is packed though it is ignored or lies elsewhere, and a missing one is named', async () => {
    const context = tempDir('context');
    write(context, { '.dockerignore': 'Dockerfile\n', Dockerfile: 'FROM node\n', 'a.js': 'x' });
    expect((await packed(context)).paths).toContain('Dockerfile');
    const other = tempDir('other');
    write(other, { 'api.Dockerfile': 'FROM scratch\n' });
    const { archive, out } = await packed(context, join(other, 'api.Dockerfile'));
    expect(readFileSync(join(out, archive.dockerfile), 'utf8')).toBe('FROM scratch\n');
    await expect(packed(context, join(other, 'none'))).rejects.toMatchObject({ code: 'cloud-no-dockerfile' });
  });
});
