import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { StatusReply } from '../../src/api/contract/status.ts';
import { told } from '../support/bad/shared-system.ts';
import { visitors } from '../support/bad/visitors.ts';
import { type PostgresServer, postgresServer } from '../support/postgres.ts';
import { acts, killController, reconciled, underWay, versions } from '../support/store-away.ts';
import { openSystem } from '../support/system.ts';
import { waitFor } from '../support/wait.ts';

let postgres: PostgresServer;
beforeAll(async () => {
  postgres = await postgresServer();
}, 300_000);
afterAll(() => postgres.stop());

test('the database is away: an abort acts at the edge at once, outlives a kill -9, and is written later', async () => {
  const system = openSystem();
  system.env['EVENKEEL_DATABASE_URL'] = postgres.url(await postgres.newDatabase());
  const shop = await underWay(system, false);
  const load = visitors(shop.port);
  await postgres.stop('SIGQUIT');
  const abort = await system.cli(['abort'], { cwd: shop.root });
  expect(abort.code, told(abort)).toBe(0);
  expect(abort.stdout.replaceAll(/\s+/g, ' ')).toMatch(/api@1 has all traffic again\. The store does not know it yet/);
  expect(await versions(shop.port)).toEqual(new Set(['v1']));

  await killController(system);
  const status = await waitFor(() => system.get<StatusReply>('/api/v1/status'), { what: 'an answer', timeout: 30_000 });
  expect(status.server.storeAwaySince).toBeTypeOf('number');
  expect(status.environments[0]?.services[0]).toMatchObject({ service: 'api', weights: { 'api@1': 100 } });
  const deploy = await system.cli(['deploy'], { cwd: shop.root });
  expect(deploy.code, told(deploy)).toBe(2);

  await postgres.start();
  await acts(system);
  await reconciled(system, shop, 'aborted');
  expect([...(await load.stop()).statuses.keys()]).toEqual([200]);
}, 120_000);

test('a store in a file that somebody has locked: an abort acts at once, and is written when it is free', async () => {
  const system = openSystem();
  const shop = await underWay(system, false);
  const load = visitors(shop.port);
  const locker = new DatabaseSync(system.paths.store, { timeout: 5_000 });
  locker.exec('begin immediate');
  const abort = await system.cli(['abort', '--json'], { cwd: shop.root });
  expect(await versions(shop.port)).toEqual(new Set(['v1']));
  expect(abort.code, told(abort)).toBe(0);
  expect(JSON.parse(abort.stdout)).toMatchObject({ unwritten: { done: true } });
  await killController(system);
  locker.exec('rollback');
  locker.close();
  await reconciled(system, shop, 'aborted');
  expect([...(await load.stop()).statuses.keys()]).toEqual([200]);
}, 120_000);
