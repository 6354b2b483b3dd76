import type { Api } from '../core/api.ts';
import type { World } from '../core/world.ts';
import { made, objectAt, textAt } from '../json.ts';
import type { JsonObject } from '../json.ts';
import { backupHandlers, installBackups } from './sql-backups.ts';
import { contentHandlers, databases, installContents, users } from './sql-contents.ts';
import { addressesOf, instances, stamped } from './sql-instance.ts';
import { instanceHandlers } from './sql-instances.ts';
import { serverOf } from './sql-server.ts';

/** Both versions are one API under two roots; links in replies stay within the version that was asked. */
const version = (document: string, root: string): Api => ({
  document,
  errors: 'reasons',
  handlers: {
    ...instanceHandlers(`https://sqladmin.googleapis.com/${root}`),
    ...contentHandlers(`https://sqladmin.googleapis.com/${root}`),
    ...backupHandlers(`https://sqladmin.googleapis.com/${root}`),
  },
});

function install(world: World): void {
  const keyOf = (args: JsonObject): string => `${textAt(args, 'project') ?? ''}/${textAt(args, 'instance') ?? ''}`;
  const leave =
    (state: string) =>
    (args: JsonObject): void => {
      instances(world).set(keyOf(args), stamped({ ...instances(world).get(keyOf(args)), state }));
    };
  world.operations.register(
    'sqladmin.CREATE',
    async (args) => {
      const key = keyOf(args);
      const instance = instances(world).get(key) ?? {};
      await serverOf(world)?.createDatabase(`${key}/postgres`);
      const ipAddresses = addressesOf(key, objectAt(instance, 'settings'));
      instances(world).set(key, stamped({ ...instance, state: 'RUNNABLE', ipAddresses }));
      databases(world).set(`${key}/postgres`, { name: 'postgres', charset: 'UTF8', collation: 'en_US.UTF8' });
      const root = textAt(args, 'rootFingerprint');
      users(world).set(`${key}/postgres`, made({ name: 'postgres', fingerprint: root }));
      return {};
    },
    leave('FAILED'),
  );
  world.operations.register('sqladmin.UPDATE', (args) => {
    const key = keyOf(args);
    const after = { ...instances(world).get(key), ...objectAt(args, 'after') };
    instances(world).set(key, stamped({ ...after, ipAddresses: addressesOf(key, objectAt(after, 'settings')) }));
    return {};
  });
  world.operations.register('sqladmin.RESTART', () => ({}));
  world.operations.register(
    'sqladmin.DELETE',
    async (args) => {
      const key = keyOf(args);
      for (const database of databases(world).keys(`${key}/`)) await serverOf(world)?.dropDatabase(database);
      for (const user of users(world).keys(`${key}/`)) await serverOf(world)?.dropUser(user);
      instances(world).delete(key);
      for (const table of [databases(world), users(world), world.state.table('sqladmin.backups')])
        table.deleteBelow(`${key}/`);
      return {};
    },
    leave('RUNNABLE'),
  );
  installContents(world);
  installBackups(world);
}

export const sqladminV1: Api = { ...version('sqladmin.v1', 'v1'), install };
export const sqladminV1beta4: Api = version('sqladmin.v1beta4', 'sql/v1beta4');
