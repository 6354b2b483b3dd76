import { existsSync, readFileSync, statSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { boundLogs } from '../../src/app/bound-logs.ts';
import { collectPages, keepPage } from '../../src/app/pages.ts';
import { NO_ENTRY } from '../../src/domain/project/entry.ts';
import { logReader } from '../../src/drivers/runtime/process/logs/log-reader.ts';
import { AccessLogs } from '../../src/edge/access-log/access-logs.ts';
import { openMemoryStore } from '../../src/store/sqlite/open.ts';
import { project, service } from '../support/engine/world.ts';
import { tempDir } from '../support/temp.ts';

const KB = 1024;
const scope = { project: 'shop', environment: 'production' };

test('an access log is kept small while the edge writes to it, and its newest lines can be read', async () => {
  const folder = tempDir('logs');
  const logs = new AccessLogs(folder, () => undefined);
  const file = join(folder, 'access', 'shop', 'production.log');
  const access = { maxBytes: 64 * KB, keep: 2 };
  for (let round = 0; round < 10; round++) {
    for (let n = 0; n < 1000; n++)
      logs.of(scope).write(JSON.stringify({ round, n, path: '/a/path/that/is/a/little/longer' }));
    await logs.flush();
    await boundLogs(folder, { access });
  }
  const names = await readdir(join(folder, 'access', 'shop'));
  const blocks = names.reduce((sum, name) => sum + statSync(join(folder, 'access', 'shop', name)).blocks * 512, 0);
  expect(blocks).toBeLessThan(5 * 64 * KB);
  const lines: string[] = [];
  const query = { files: [{ file, service: 'edge', release: null, instance: null }], lines: 2, follow: false };
  for await (const { line } of logReader().read({ ...query, signal: new AbortController().signal })) lines.push(line);
  expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
    { round: 9, n: 998 },
    { round: 9, n: 999 },
  ]);
});

test('a page is kept under the name of its contents, and goes a day after nobody names it any more', async () => {
  const [folder, root] = [tempDir('pages'), tempDir('root')];
  const file = join(root, '404.html');
  writeFileSync(file, 'one');
  const one = await keepPage(file, folder);
  expect(await keepPage(file, folder)).toBe(one);
  writeFileSync(file, 'two');
  const two = await keepPage(file, folder);
  expect([two === one, readFileSync(one, 'utf8'), readFileSync(two, 'utf8')]).toEqual([false, 'one', 'two']);
  truncateSync(file, 300 * KB);
  await expect(keepPage(file, folder)).rejects.toMatchObject({ code: 'page-unreadable', where: file });
  await expect(keepPage(join(root, 'none'), folder)).rejects.toMatchObject({ code: 'page-unreadable' });

  const store = await openMemoryStore();
  onTestFinished(() => store.close());
  const config = project([service('api')]);
  const entry = { ...NO_ENTRY, pages: { '404': two } };
  const environment = { ...config.environment, entry };
  await store.saveEnvironment({ ...scope, config: { ...config, environment }, wanted: 'up', updatedAt: 0 });
  const now = Date.now();
  const deps = { store, clock: { now: () => now, sleep: async () => {} } };
  await collectPages(deps, folder);
  expect([existsSync(one), existsSync(two)]).toEqual([true, true]);
  const longAgo = (now - 2 * 86_400_000) / 1000;
  for (const page of [one, two]) utimesSync(page, longAgo, longAgo);
  await collectPages(deps, folder);
  expect([existsSync(one), existsSync(two)]).toEqual([false, true]);
});
