import { expect, test } from 'vitest';

import { parseEnvFile } from '../../../src/config/env-file.ts';
import { parseDuration } from '../../../src/config/values/duration.ts';
import { parseFolder } from '../../../src/config/values/folder.ts';
import { parsePercent } from '../../../src/config/values/percent.ts';
import { parseRoute, showRoute } from '../../../src/config/values/route.ts';
import { parseSize } from '../../../src/config/values/size.ts';
import { parseTemplate } from '../../../src/config/template.ts';
import { suggest } from '../../../src/lib/suggest.ts';

test.each([
  ['500ms', 500],
  ['30s', 30_000],
  ['1.5h', 5_400_000],
  ['1h30m', 5_400_000],
  ['2d', 172_800_000],
  ['0', 0],
  ['30', null],
  ['', null],
  ['s', null],
  ['-1s', null],
  ['1h 30m', 5_400_000],
  ['1e3s', null],
  [`${'9'.repeat(30)}d`, null],
])('duration %s', (text, milliseconds) => {
  expect(parseDuration(text)).toBe(milliseconds);
});

test.each([
  ['512Mi', 512 * 2 ** 20],
  ['1.5G', 1.5e9],
  ['2Ki', 2048],
  ['512', null],
  ['512MB', null],
  ['Mi', null],
])('size %s', (text, bytes) => {
  expect(parseSize(text)).toBe(bytes);
});

test.each([
  ['1%', 1],
  ['0.5 %', 0.5],
  ['1', null],
  ['%', null],
])('percent %s', (text, percent) => {
  expect(parsePercent(text)).toBe(percent);
});

test.each([
  ['dist', 'dist'],
  ['./dist/web/', 'dist/web'],
  ['.', '.'],
  ['a//b', 'a/b'],
  ['../x', null],
  ['a/../../x', null],
  ['/etc', null],
  ['C:\\x', null],
  ['', null],
])('folder %s', (text, folder) => {
  expect(parseFolder(text)).toBe(folder);
});

test.each([
  '',
  '//x',
  '/a/../b',
  '/a?b',
  '/a b',
  '*.a.example',
  'a..example',
  'http://a',
  '/%2e%2e',
  '/a\\b',
  'api',
  '-a.example',
])('no route: %s', (text) => {
  expect(parseRoute(text)).toMatchObject({ ok: false });
});

test('a route is shown as it is written', () => {
  for (const text of ['/', '/api', 'a.example', 'a.example/v1', 'localhost/x', '127.0.0.1']) {
    const reading = parseRoute(text);
    expect(reading.ok && showRoute(reading.route)).toBe(text);
  }
});

test('a template is taken apart', () => {
  expect(parseTemplate('a${B}c${D:-e}$F$${G}${services.x.url}')).toEqual([
    { kind: 'text', text: 'a' },
    { kind: 'variable', name: 'B', fallback: null, raw: '${B}' },
    { kind: 'text', text: 'c' },
    { kind: 'variable', name: 'D', fallback: 'e', raw: '${D:-e}' },
    { kind: 'text', text: '$F${G}' },
    { kind: 'reference', keys: ['services', 'x', 'url'], raw: '${services.x.url}' },
  ]);
  for (const wrong of ['${', '${}', '${ A }', '${A:-${B}}', '${A?b}']) {
    expect(parseTemplate(wrong).map(({ kind }) => kind)).toContain('error');
  }
});

test('an env file is read as a shell would', () => {
  const text = [
    '# comment',
    'A=1',
    'export B = two words  # comment',
    "C='as $it is \\n'",
    'D="line\\none\r',
    'line two \\"quoted\\""  # comment',
    'E=',
    'F=a#b',
    'A=2',
  ].join('\r\n');
  const { values, problems } = parseEnvFile(`\uFEFF${text}`, '.env');
  expect(problems).toEqual([]);
  expect(Object.fromEntries(values)).toMatchObject({
    A: '2',
    B: 'two words',
    C: 'as $it is \\n',
    E: '',
    F: 'a#b',
  });
  expect(values.get('D')?.replaceAll('\r', '')).toContain('line two "quoted"');
});

test('what is wrong in an env file is named by its line, and its value is not shown', () => {
  const { values, problems } = parseEnvFile('A=1\nhunter2\n1X=hunter2\nB="hunter2" hunter2\nC="hunter2\nD=1\n', '.env');
  expect(problems.map(({ line, code, file }) => `${file}:${line} ${code}`)).toEqual([
    '.env:2 env-file',
    '.env:3 env-file',
    '.env:4 env-file',
    '.env:5 env-file',
  ]);
  expect(JSON.stringify(problems)).not.toContain('hunter2');
  expect(values.get('A')).toBe('1');
  expect(values.get('D')).toBe('1');
});

test.each([
  ['helth', 'health'],
  ['rollback_window', 'rollbackWindow'],
  ['Routes', 'routes'],
  ['instnaces', 'instances'],
  ['xyz', null],
  ['', null],
  ['x'.repeat(10_000), null],
])('did you mean: %s', (written, meant) => {
  expect(suggest(written, ['health', 'rollbackWindow', 'routes', 'instances', 'run'])).toBe(meant);
});
