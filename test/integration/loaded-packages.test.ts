import { readFileSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { type Entry, entryFile } from '../../src/platform/entry.ts';
import { openHome } from '../support/evenkeel-home.ts';
import { tempDir } from '../support/temp.ts';

const ENTRIES: readonly Entry[] = ['keeper', 'controller', 'edge'];

/** The entry's program, which first begins to write down what is loaded. */
const noting = (entry: Entry, list: string): string => `
import { appendFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
registerHooks({ load(url, context, next) { appendFileSync(${JSON.stringify(list)}, url + '\\n'); return next(url, context); } });
await import(${JSON.stringify(pathToFileURL(entryFile(entry)).href)});
`;

/** The package that a file belongs to, or the name of a module of Node; null for our own. */
function packageOf(url: string): string | null {
  if (isBuiltin(url)) return url;
  return /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? null;
}

test('each of the three processes loads what it needs and nothing else', async () => {
  const folder = tempDir('loaded');
  const system = openHome(folder);
  const listOf = (entry: Entry): string => join(folder, `${entry}.txt`);
  for (const entry of ENTRIES) {
    const file = join(folder, `${entry}.mjs`);
    writeFileSync(file, noting(entry, listOf(entry)));
    system.env[`EVENKEEL_${entry.toUpperCase()}_ENTRY`] = file;
  }
  onTestFinished(() => system.stop());
  await system.start();
  await system.status();
  const loaded = (entry: Entry): Set<string | null> =>
    new Set(readFileSync(listOf(entry), 'utf8').trim().split('\n').map(packageOf));
  const packages = (entry: Entry): string[] =>
    [...loaded(entry)].filter((name): name is string => name !== null && !isBuiltin(name)).toSorted();

  // Whoever must never die has nobody else's code in it.
  expect(packages('keeper')).toEqual([]);
  expect([...loaded('keeper')]).not.toContain('node:http');
  // Every request passes through here.
  expect(packages('edge')).toEqual(['zod']);
  expect([...loaded('edge')]).not.toContain('node:sqlite');
  // These take megabytes each, and most systems never need them.
  const controller = packages('controller');
  expect(controller).toEqual(expect.arrayContaining(['fastify', 'kysely', 'pino', 'zod']));
  const rarely = [
    ...['@fastify/fast-json-stringify-compiler', 'ajv', 'commander', 'libpg-query', 'pg', 're2js', 'yaml'],
    ...['jose', 'oauth4webapi', 'openid-client'],
  ];
  expect(controller.filter((name) => rarely.includes(name))).toEqual([]);
});
