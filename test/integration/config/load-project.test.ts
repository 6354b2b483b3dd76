import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { expect, test } from 'vitest';

import { loadProject } from '../../../src/config/load-project.ts';
import { tempDir } from '../../support/temp.ts';

const FILE = 'project: p\nservices:\n  api: { run: a, env: { WHO: "${WHO}" } }\nenvironments: { staging: {} }\n';

function folder(files: Record<string, string | Uint8Array>): string {
  const root = tempDir('config');
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  return root;
}

async function who(root: string, environment: string, processEnv: Record<string, string> = {}): Promise<unknown> {
  const result = await loadProject({ root, environment, processEnv });
  return result.ok ? result.project.services[0]?.env['WHO'] : result.problems.map(({ code }) => code);
}

test('the process wins over .env.<environment>, which wins over .env', async () => {
  const root = folder({ 'evenkeel.yaml': FILE, '.env': 'WHO=everybody\n', '.env.staging': 'WHO="staging"\n' });
  expect(await who(root, 'development')).toEqual(['everybody']);
  expect(await who(root, 'staging')).toEqual(['staging']);
  expect(await who(root, 'staging', { WHO: 'me' })).toEqual(['me']);
});

test('an unset variable says where was looked', async () => {
  const root = folder({ 'evenkeel.yaml': FILE, '.env': 'WHOM=x\n' });
  const result = await loadProject({ root, environment: 'staging', processEnv: {} });
  expect(result).toMatchObject({
    ok: false,
    problems: [
      {
        code: 'unset-variable',
        line: 3,
        column: 30,
        message: '`${WHO}` is not set; looked in the environment of this process, .env.staging (not there), .env',
        hint: 'did you mean "WHOM"?',
      },
    ],
  });
});

test('mistakes in .env files come with those of the file', async () => {
  const root = folder({ 'evenkeel.yaml': `${FILE}what: 1\n`, '.env': 'WHO=x\noops hunter2\n' });
  const result = await loadProject({ root, processEnv: {} });
  expect(result.ok ? [] : result.problems.map(({ file, line, code }) => [file, line, code])).toEqual([
    ['.env', 2, 'env-file'],
    ['evenkeel.yaml', 5, 'unknown-key'],
  ]);
  expect(JSON.stringify(result)).not.toContain('hunter2');
});

test('the file is found from any folder below it', async () => {
  const root = folder({ 'evenkeel.yaml': FILE, 'a/b/c/.keep': '' });
  const result = await loadProject({ startDir: join(root, 'a/b/c'), processEnv: { WHO: 'x' } });
  expect(result.ok && result.project.root).toBe(root);
});

test('no file, a file of another name, a folder of that name', async () => {
  const nothing = await loadProject({ startDir: folder({ 'a.txt': '' }) });
  expect(nothing).toMatchObject({
    ok: false,
    problems: [{ code: 'no-file', hint: expect.stringContaining('evenkeel init') }],
  });
  const yml = await loadProject({ root: folder({ 'evenkeel.yml': FILE }) });
  expect(yml).toMatchObject({ ok: false, problems: [{ code: 'no-file', hint: expect.stringContaining('rename') }] });
  const isFolder = await loadProject({ root: folder({ 'evenkeel.yaml/x': '' }) });
  expect(isFolder).toMatchObject({
    ok: false,
    problems: [{ code: 'unreadable', message: expect.stringContaining('EISDIR') }],
  });
});

test('a huge file and one that is not text', async () => {
  const huge = await loadProject({ root: folder({ 'evenkeel.yaml': `#${'x'.repeat(1024 * 1024)}` }) });
  expect(huge).toMatchObject({ ok: false, problems: [{ code: 'too-large' }] });
  const binary = await loadProject({ root: folder({ 'evenkeel.yaml': Uint8Array.of(0x70, 0xff, 0xfe, 0x00) }) });
  expect(binary).toMatchObject({ ok: false, problems: [{ code: 'unreadable', hint: 'save it as UTF-8' }] });
});

test('`dir` must be there', async () => {
  const text = 'project: p\nservices:\n  a: { run: a, dir: apps/a }\n  b: { run: b, dir: apps/b }\n';
  const result = await loadProject({ root: folder({ 'evenkeel.yaml': text, 'apps/a/x': '' }) });
  expect(result).toMatchObject({
    ok: false,
    problems: [{ code: 'missing-folder', line: 4, column: 21, path: 'services.b.dir' }],
  });
});

test('the example system loads in each of its environments', async () => {
  const root = fileURLToPath(new URL('../../../examples/chat', import.meta.url));
  for (const environment of ['development', 'production']) {
    const result = await loadProject({ root, environment, processEnv: {} });
    expect(result.ok ? [] : result.problems).toEqual([]);
  }
});
