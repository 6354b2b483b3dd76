import { globSync } from 'node:fs';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { expect, test } from 'vitest';

import { VERBS } from '../../src/cli/registry.ts';
import { readProject } from '../../src/config/load-project.ts';
import { loadSignIn } from '../../src/config/sign-in/load-sign-in.ts';
import { documents } from '../../scripts/docs.ts';
import { tempDir } from '../support/temp.ts';

const root = join(import.meta.dirname, '../..');
const files = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...globSync('docs/**/*.md', { cwd: root })];
const texts = await Promise.all(files.map(async (file) => ({ file, text: await readFile(join(root, file), 'utf8') })));

test.each(['development', 'production'])('every example of the file loads for %s', async (environment) => {
  const examples = texts.flatMap(({ file, text }) =>
    [...text.matchAll(/^```yaml\n([^]*?)^```$/gm)].map(([, yaml = '']) => ({ file, yaml })),
  );
  expect(examples.length).toBeGreaterThan(3);
  for (const { file, yaml } of examples) {
    const result = await readProject(yaml, root, { environment, processEnv: {} });
    const problems = result.ok ? result.warnings : result.problems;
    expect({ file, problems }).toEqual({ file, problems: [] });
  }
});

test('every example of a sign-in.yaml can be used', async () => {
  const examples = texts.flatMap(({ text }) =>
    [...text.matchAll(/^```yml\n([^]*?)^```$/gm)].map(([, yaml = '']) => yaml),
  );
  expect(examples.length).toBeGreaterThan(3);
  for (const yaml of examples) {
    const file = join(tempDir('sign-in'), 'sign-in.yaml');
    await writeFile(file, yaml);
    const read = await loadSignIn({ file, env: null });
    expect({ yaml, problems: read.ok ? [] : read.problems }).toEqual({ yaml, problems: [] });
  }
});

test('generated parts are what the sources say (else: npx node scripts/docs.ts)', async () => {
  for (const { is, should } of await documents()) expect(is).toBe(should);
});

test('the README names every verb, and no other', () => {
  const readme = texts.find(({ file }) => file === 'README.md')?.text ?? '';
  const table = readme.slice(readme.indexOf('## The commands'), readme.indexOf('## What it promises'));
  const named = new Set([...table.matchAll(/`evenkeel (\w+)/g)].map(([, verb]) => verb));
  expect(named).toEqual(new Set(VERBS.keys()));
});

test('every link within the repository leads somewhere', async () => {
  const broken: string[] = [];
  for (const { file, text } of texts) {
    for (const [, target = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      const [path = '', anchor] = target.split('#');
      const found = join(root, dirname(file), path);
      const there = path === '' || (await stat(found).catch(() => null)) !== null;
      const heading = anchor === undefined || (await anchors(path === '' ? join(root, file) : found)).includes(anchor);
      if (!there || !heading) broken.push(`${file}: ${target}`);
    }
  }
  expect(broken).toEqual([]);
});

test('every npm command that is named exists', async () => {
  const { scripts } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { scripts: object };
  const named = texts.flatMap(({ text }) =>
    // Those in an evenkeel.yaml belong to another project.
    [...text.replaceAll(/^```yaml\n[^]*?^```$/gm, '').matchAll(/npm run ([a-z:]+)/g)].map(([, name = '']) => name),
  );
  expect([...new Set(named)].filter((name) => !(name in scripts))).toEqual([]);
});

/** As sites make them of headings. */
async function anchors(file: string): Promise<string[]> {
  const headings = (await readFile(file, 'utf8')).matchAll(/^#+ (.+)$/gm);
  return [...headings].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );
}
