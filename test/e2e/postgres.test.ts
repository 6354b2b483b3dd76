import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isAlive } from '../../src/platform/process/identity.ts';
import { told } from '../support/bad/shared-system.ts';
import { PASSWORD, type PostgresServer, postgresServer } from '../support/postgres.ts';
import { openSystem, projectFolder, type System } from '../support/system.ts';
import { waitFor } from '../support/wait.ts';
import { freePort } from '../support/free-port.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await postgresServer();
}, 300_000);
afterAll(() => server.stop());

const PROGRAM = `require('node:http').createServer((_, reply) => reply.end('hello')).listen(process.env.PORT, '127.0.0.1');`;

test('evenkeel keeps its state in Postgres: deploys, resumes, outlives its absence, and tells nobody the password', async () => {
  const system = openSystem();
  const database = await server.newDatabase();
  system.env['EVENKEEL_DATABASE_URL'] = server.url(database);
  const port = await freePort();
  const root = projectFolder({
    'main.js': PROGRAM,
    'evenkeel.yaml': `project: shop
services:
  api: { run: node main.js, routes: [/], health: { path: / } }
environments:
  development: { port: ${port} }
`,
  });
  const answer = async (): Promise<string> => (await fetch(`http://127.0.0.1:${port}/`)).text();

  const up = await system.cli(['up'], { cwd: root });
  expect(up.code, told(up)).toBe(0);
  expect(await answer()).toBe('hello');
  expect(existsSync(system.paths.store)).toBe(false);
  expect(await server.sql(database, 'select count(*)::int as count from releases')).toEqual([{ count: 1 }]);

  // A controller that dies finds everything again.
  const { controller } = await system.keeperInfo();
  if (controller === null) throw new Error('no controller');
  process.kill(controller.pid, 'SIGKILL');
  await waitFor(async () => (await system.keeperInfo()).controller?.pid !== controller.pid, {
    what: 'another controller',
    timeout: 30_000,
  });
  const status = await waitFor(() => system.status(), { what: 'its answer', timeout: 30_000 });
  expect(JSON.stringify(status)).toContain('api@1');

  // What serves does not need the database, and the controller goes on when it is back.
  await server.stop('SIGQUIT');
  expect(await answer()).toBe('hello');
  await server.start();
  const again = await system.cli(['deploy'], { cwd: root });
  expect(again.code, told(again)).toBe(0);
  expect(await answer()).toBe('hello');

  for (const path of globSync('**/*', { cwd: system.paths.home }).map((name) => join(system.paths.home, name))) {
    if (!statSync(path, { throwIfNoEntry: false })?.isFile()) continue;
    const text = readFileSync(path, 'latin1');
    for (const secret of [PASSWORD, encodeURIComponent(PASSWORD)]) expect(text, path).not.toContain(secret);
  }

  // Without the address an empty store would be found, in which nothing ought to run.
  await system.stop();
  delete system.env['EVENKEEL_DATABASE_URL'];
  const forgotten = await system.cli(['up'], { cwd: root });
  expect(forgotten.code, told(forgotten)).not.toBe(0);
  expect(forgotten.stderr).toMatch(/lies in a Postgres database, and EVENKEEL_DATABASE_URL is not set/);
  expect(existsSync(system.paths.store)).toBe(false);
  await endKeeper(system);

  system.env['EVENKEEL_DATABASE_URL'] = server.url(database);
  const found = await system.cli(['up'], { cwd: root });
  expect(found.code, told(found)).toBe(0);
  expect(await answer()).toBe('hello');
}, 180_000);

/** One whose controller cannot start, and so cannot be told by it to stop. */
async function endKeeper(system: System): Promise<void> {
  const { keeper } = await system.keeperInfo();
  process.kill(keeper.pid, 'SIGTERM');
  await waitFor(() => !isAlive(keeper), { what: 'the keeper to end', timeout: 30_000 });
}
