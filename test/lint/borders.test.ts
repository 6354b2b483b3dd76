import { execFile } from 'node:child_process';
import { cpSync, globSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import config from '../../oxlint.config.ts';
import { tempDir } from '../support/temp.ts';

const root = join(import.meta.dirname, '../..');
const fixtures = join(import.meta.dirname, 'fixtures');

interface Report {
  diagnostics: { code: string; filename: string; labels: { span: { line: number } }[] }[];
}

/** The rules that keep the house; others (an unused import, say) may complain about a fixture as they like. */
const watched = /\((no-restricted-\w+|consistent-type-imports|no-explicit-any|no-floating-promises)\)$/;

/** `file:line rule` of everything that the real linter, with the real configuration, reports about the fixtures. */
let reported: string[] = [];

beforeAll(async () => {
  // The configuration speaks of src/, so the fixtures must lie where src/ would.
  const house = tempDir('lint');
  cpSync(fixtures, house, { recursive: true });
  for (const file of ['oxlint.config.ts', 'tsconfig.json', 'package.json']) cpSync(join(root, file), join(house, file));
  symlinkSync(join(root, 'node_modules'), join(house, 'node_modules'));
  const oxlint = join(root, 'node_modules/oxlint/bin/oxlint');
  const run = promisify(execFile)(process.execPath, [oxlint, '--type-aware', '--format=json', 'src', 'web'], {
    cwd: house,
  });
  // Findings make it exit with 1; they are what we came for.
  const { stdout } = await run.catch((error: { stdout: string }) => error);
  const { diagnostics } = JSON.parse(stdout) as Report;
  const lines = diagnostics
    .filter(({ code }) => watched.test(code))
    .map(({ code, filename, labels }) => `${filename}:${labels[0]?.span.line} ${/\((.*)\)/.exec(code)?.[1]}`);
  reported = [...new Set(lines)];
});

describe('the lint rule for the borders of the house', () => {
  const files = globSync('{src,web}/**/*.ts', { cwd: fixtures }).toSorted();

  test.each(files)('%s: reports what is marked forbidden, and nothing else', (file) => {
    const marked = readFileSync(join(fixtures, file), 'utf8')
      .split('\n')
      .flatMap((line, index) => {
        const rule = /\/\/ forbidden: (\S+)/.exec(line)?.[1];
        return rule === undefined ? [] : [`${file}:${index + 1} ${rule}`];
      });
    expect(marked).not.toEqual([]);
    expect(reported.filter((line) => line.startsWith(`${file}:`)).toSorted()).toEqual(marked.toSorted());
  });

  test('knows every folder of src', () => {
    const folders = readdirSync(join(root, 'src'), { withFileTypes: true }).filter((entry) => entry.isDirectory());
    const walls = (config.overrides ?? []).flatMap(({ files: globs }) => globs);
    expect(folders.map(({ name }) => name).filter((name) => !walls.includes(`src/${name}/**/*.ts`))).toEqual([]);
  });
});
