import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { HoldsAccess } from '../../src/ports/access-store.ts';
import type { Store } from '../../src/ports/store.ts';
import { type Migration, readMigrations } from '../../src/store/migrate.ts';
import { aUser, populate, type Stores } from './access-fixtures.ts';
import { inChargeSuite } from './access-in-charge-suite.ts';
import { peopleSuite } from './access-people-suite.ts';
import { signInSuite } from './access-sign-in-suite.ts';
import { aProject } from './store-fixtures.ts';

type Opened = Store & HoldsAccess;

/** What every store promises of who may do what. `open` gives two on one new database, or the same one twice. */
export function accessSuite(name: string, open: () => Promise<readonly [Opened, Opened]>): void {
  describe(name, () => {
    let stores: Stores;
    let opened: readonly [Opened, Opened];
    beforeEach(async () => {
      opened = await open();
      const [one, other] = [await opened[0].access(), await opened[1].access()];
      stores = () => [one, other];
      onTestFinished(async () => {
        for (const store of new Set(opened)) await store.close();
      });
    });
    test('a controller that was overtaken changes nothing, and still knows who is who', async () => {
      const [store] = opened;
      const fence = await store.nextFence();
      await store.nextFence();
      const access = await store.access();
      await populate(access);
      store.actAs(fence);
      const refused = { code: 'store-fenced', retryable: true };
      await expect(access.addUser(aUser('late'))).rejects.toMatchObject(refused);
      await expect(access.revokeToken('any')).rejects.toMatchObject(refused);
      expect(await access.standing('ann')).toMatchObject({ login: 'ann@example.com' });
    });

    describe('people', () => peopleSuite(() => stores()));
    describe('being in charge', () => inChargeSuite(() => stores()));
    describe('signing in', () => signInSuite(() => stores()));
  });
}

interface OldDatabase {
  /** As by an older evenkeel, which had fewer migrations. */
  open(options: { migrations?: Migration[] }): Promise<Opened>;
  sql(text: string): Promise<unknown>;
}

/** A state from before there were organizations. `database` gives a new one. */
export function upgradeSuite(name: string, database: () => Promise<OldDatabase>): void {
  test(`${name}: projects that were there before belong to the default organization`, async () => {
    const { open, sql } = await database();
    const all = readMigrations(new URL('../../src/store/migrations/', import.meta.url));
    const before = await open({ migrations: all.slice(0, 5) });
    await before.close();
    const config = JSON.stringify(aProject('chat')).replaceAll("'", "''");
    await sql(
      `insert into environments (project, environment, wanted, config, updated_at)
         values ('chat', 'production', 'up', '${config}', 5), ('chat', 'staging', 'up', '${config}', 7)`,
    );
    const now = await open({});
    onTestFinished(() => now.close());
    expect(await (await now.access()).projects()).toEqual([{ project: 'chat', organization: 'default' }]);
    expect(await now.environment('chat', 'staging')).toMatchObject({ config: aProject('chat'), updatedAt: 7 });
  });
}
