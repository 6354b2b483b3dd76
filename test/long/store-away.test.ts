import { afterAll, beforeAll, expect, test } from 'vitest';
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

test('a controller that has to start while the database is away goes back all the same', async () => {
  const system = openSystem();
  system.env['EVENKEEL_DATABASE_URL'] = postgres.url(await postgres.newDatabase());
  const shop = await underWay(system, true);
  const load = visitors(shop.port);
  await postgres.stop('SIGQUIT');
  await killController(system);
  const back = await waitFor(() => system.cli(['rollback', 'api', '--comment', 'slow'], { cwd: shop.root }), {
    what: 'the rollback',
    timeout: 40_000,
  });
  expect(back.code, told(back)).toBe(0);
  expect(await versions(shop.port)).toEqual(new Set(['v1']));
  await postgres.start();
  await acts(system);
  await reconciled(system, shop, 'rolled-back');
  expect([...(await load.stop()).statuses.keys()]).toEqual([200]);
}, 120_000);
