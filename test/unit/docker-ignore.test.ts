import { expect, test } from 'vitest';
import { dockerIgnore } from '../../src/lib/docker-ignore.ts';

test('rules hold from the context on, and bring back what lies in a folder left out', () => {
  const { out, whole } = dockerIgnore('*\n!src\n!package.json\nsrc/**/*.test.ts\n');
  expect(['src/a.ts', 'src/', 'package.json'].map(out)).toEqual([false, false, false]);
  expect(['src/x/a.test.ts', 'README.md', 'deep/package.json'].map(out)).toEqual([true, true, true]);
  expect(whole('docs/')).toBe(false);
  expect(dockerIgnore('docs\n').whole('docs/')).toBe(true);
});

test.each([
  ['a', 'b/a', false],
  ['a', 'a/b/c', true],
  ['/a/', 'a', true],
  ['./a//b', 'a/b', true],
  ['**/*.log', 'x.log', true],
  ['**/*.log', 'deep/er/x.log', true],
  ['*.log', 'deep/x.log', false],
  ['**', 'deep/x', true],
  ['a?c', 'abc', true],
  ['a?c', 'a/c', false],
  ['[ab].txt', 'b.txt', true],
  ['[^ab].txt', 'b.txt', false],
  ['odd[name', 'odd[name', true],
  ['a.b', 'axb', false],
  ['# a comment', 'a comment', false],
  ['packages\n!packages/shared', 'packages/shared/index.js', false],
  ['!a\na', 'a', true],
  ['*', '', false],
  ['*', '../elsewhere', false],
])('%j: %s', (text, path, isOut) => {
  expect(dockerIgnore(text).out(path)).toBe(isOut);
});
