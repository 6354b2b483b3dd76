import type { Call, Handler } from '../core/api.ts';
import { notFound } from '../core/google-error.ts';
import { page } from '../core/pages.ts';
import { timestamp } from '../core/world.ts';
import type { World } from '../core/world.ts';
import { made, textAt, written } from '../json.ts';
import type { JsonObject } from '../json.ts';
import { findInstance, runnable } from './sql-instance.ts';
import { startSql } from './sql-operations.ts';

/** Backups by `<project>/<instance>/<id>`. Only those that are asked for are made; there is nothing in them. */
const backups = (world: World) => world.state.table('sqladmin.backups');

const keyOf = (args: JsonObject): string =>
  `${written(args['project'])}/${written(args['instance'])}/${written(args['id'])}`;

export function installBackups(world: World): void {
  world.operations.register('sqladmin.BACKUP_VOLUME', (args) => {
    const end = timestamp(world.now());
    backups(world).set(keyOf(args), { ...backups(world).get(keyOf(args)), status: 'SUCCESSFUL', endTime: end });
    return {};
  });
  world.operations.register('sqladmin.DELETE_BACKUP', (args) => {
    backups(world).delete(keyOf(args));
    return {};
  });
}

export const backupHandlers = (base: string): Record<string, Handler> => ({
  'sql.backupRuns.insert': async (call, world) => {
    const instance = runnable(world, call.project?.id ?? '', call.at('instance'));
    const id = String(world.now());
    const operation = await startSql(call, world, base, {
      type: 'BACKUP_VOLUME',
      instance: call.at('instance'),
      args: { id },
    });
    const now = timestamp(world.now());
    backups(world).set(
      key(call, id),
      made({
        kind: 'sql#backupRun',
        id,
        instance: call.at('instance'),
        status: 'RUNNING',
        type: 'ON_DEMAND',
        backupKind: 'SNAPSHOT',
        databaseVersion: instance['databaseVersion'],
        location: textAt(instance, 'region'),
        description: call.body['description'],
        enqueuedTime: now,
        startTime: now,
        windowStartTime: now,
      }),
    );
    return operation;
  },
  'sql.backupRuns.get': (call, world) => shown(call, find(call, world), base),
  'sql.backupRuns.list': (call, world) => {
    findInstance(world, call.project?.id ?? '', call.at('instance'));
    const all = backups(world).list(key(call, ''));
    const query = { size: call.query('maxResults'), token: call.query('pageToken') };
    const newestFirst = (row: JsonObject): string => String(1e15 - Number(row['id']));
    const { entries, nextPageToken } = page(all, newestFirst, query);
    return made({ kind: 'sql#backupRunsList', items: entries.map((row) => shown(call, row, base)), nextPageToken });
  },
  'sql.backupRuns.delete': (call, world) => {
    find(call, world);
    const args = { id: call.at('id') };
    return startSql(call, world, base, { type: 'DELETE_BACKUP', instance: call.at('instance'), args });
  },
});

const key = (call: Call, id: string): string => `${call.project?.id ?? ''}/${call.at('instance')}/${id}`;

function find(call: Call, world: World): JsonObject {
  findInstance(world, call.project?.id ?? '', call.at('instance'));
  const row = backups(world).get(key(call, call.at('id')));
  if (row === undefined) throw notFound('Not Found');
  return row;
}

function shown(call: Call, row: JsonObject, base: string): JsonObject {
  const path = `projects/${call.project?.id ?? ''}/instances/${call.at('instance')}/backupRuns/${written(row['id'])}`;
  return { ...row, selfLink: `${base}/${path}` };
}
