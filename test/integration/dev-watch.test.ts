import { appendFileSync, chmodSync, linkSync, mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { watchSources } from '../../src/app/dev/watch.ts';
import { tempDir } from '../support/temp.ts';
import { waitFor } from '../support/wait.ts';

async function watched(files: Record<string, string>, leaveOut: string[] = []) {
  const root = tempDir('watch');
  const write = (name: string, text: string): void => {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  };
  for (const [name, text] of Object.entries(files)) {
    write(name, text);
    // as it lay there before anybody looked
    utimesSync(join(root, name), 1_700_000_000, 1_700_000_000);
  }
  const seen = new Set<string>();
  const problems: string[] = [];
  const watch = await watchSources(root, {
    leaveOut,
    onChange: (paths) => paths.forEach((path) => seen.add(path)),
    onProblem: (why) => problems.push(why),
  });
  onTestFinished(() => watch.close());
  return {
    root,
    write,
    seen,
    problems,
    until: (name: string) =>
      waitFor(() => seen.has(name), { what: `${name} to be seen; seen: ${[...seen].join(', ')}` }),
  };
}

test('what is written, made, renamed and removed is seen, however deep', async () => {
  const { root, write, until, problems } = await watched({ 'a/b/c/main.js': '1', 'old.js': '1' });
  write('a/b/c/main.js', '2');
  await until('a/b/c/main.js');
  write('new/deep/er/file.js', '1');
  await until('new');
  // its folders are watched from then on
  await waitFor(
    async () => {
      write('new/deep/er/file.js', String(Math.random()));
      await until('new/deep/er/file.js');
      return true;
    },
    { what: 'a file in a new folder' },
  );
  rmSync(join(root, 'old.js'));
  await until('old.js');
  expect(problems).toEqual([]);
});

test('what is ignored, left out, an editor’s own, or another name or mode of the same file is not', async () => {
  const { root, write, until, seen } = await watched(
    {
      '.gitignore': '*.log\ndist/\n',
      'sub/.gitignore': '!kept.log\n',
      'sub/x.js': '1',
      'node_modules/a/index.js': '1',
      'dist/main.js': '1',
      'storage/db': '1',
      'main.js': '1',
    },
    ['storage'],
  );
  for (const name of ['x.log', 'sub/y.log', 'dist/main.js', 'storage/db', 'node_modules/a/index.js', '.main.js.swp']) {
    write(name, '2');
  }
  chmodSync(join(root, 'main.js'), 0o600);
  mkdirSync(join(root, 'dist/below'));
  linkSync(join(root, 'main.js'), join(root, 'dist/below/linked.js'));
  write('sub/kept.log', '1');
  await until('sub/kept.log');
  appendFileSync(join(root, 'sub/x.js'), '2');
  await until('sub/x.js');
  expect([...seen].toSorted()).toEqual(['sub/kept.log', 'sub/x.js']);
});

test('a rule that is added holds from then on', async () => {
  const { write, until, seen } = await watched({ 'main.js': '1' });
  write('.gitignore', '*.out\n');
  await until('.gitignore');
  write('a.out', '1');
  write('last.js', '1');
  await until('last.js');
  expect(seen.has('a.out')).toBe(false);
});
