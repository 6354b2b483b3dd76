import { createHash } from 'node:crypto';
import type { Call, Handler } from '../core/api.ts';
import { etagOf } from '../core/etag.ts';
import { alreadyExists, invalid, notFound } from '../core/google-error.ts';
import type { World } from '../core/world.ts';
import { made, objectAt, textAt, written } from '../json.ts';
import type { JsonObject } from '../json.ts';
import { findInstance, runnable } from './sql-instance.ts';
import { startSql } from './sql-operations.ts';
import { serverOf } from './sql-server.ts';

/** Databases and users by `<project>/<instance>/<name>`. */
export const databases = (world: World) => world.state.table('sqladmin.databases');
export const users = (world: World) => world.state.table('sqladmin.users');

/** What is known of a password: enough to see whether another is the same. */
export const fingerprint = (password: string): string => createHash('sha256').update(password).digest('hex');

const keyOf = (args: JsonObject): string =>
  `${written(args['project'])}/${written(args['instance'])}/${written(args['name'])}`;

/** Databases and users do nothing but exist, unless a real server stands behind. */
export function installContents(world: World): void {
  world.operations.register('sqladmin.CREATE_DATABASE', async (args) => {
    await serverOf(world)?.createDatabase(keyOf(args));
    const { project: _, ...row } = args;
    databases(world).set(keyOf(args), row);
    return {};
  });
  world.operations.register('sqladmin.UPDATE_DATABASE', (args) => {
    databases(world).set(keyOf(args), { ...databases(world).get(keyOf(args)), ...args });
    return {};
  });
  world.operations.register('sqladmin.DELETE_DATABASE', async (args) => {
    await serverOf(world)?.dropDatabase(keyOf(args));
    databases(world).delete(keyOf(args));
    return {};
  });
  for (const verb of ['CREATE_USER', 'UPDATE_USER'])
    world.operations.register(`sqladmin.${verb}`, async (args) => {
      const { password, ...row } = args;
      if (typeof password === 'string') await serverOf(world)?.setUser(keyOf(args), password);
      const known = typeof password === 'string' ? { fingerprint: fingerprint(password) } : {};
      users(world).set(keyOf(args), { ...users(world).get(keyOf(args)), ...row, ...known });
      return {};
    });
  world.operations.register('sqladmin.DELETE_USER', async (args) => {
    await serverOf(world)?.dropUser(keyOf(args));
    users(world).delete(keyOf(args));
    return {};
  });
}

export const contentHandlers = (base: string): Record<string, Handler> => ({
  'sql.databases.insert': (call, world) => {
    runnable(world, projectId(call), call.at('instance'));
    const name = textAt(call.body, 'name') ?? '';
    if (name === '' || name.length > 63) throw invalid('The name of a database is required.');
    if (databases(world).has(key(call, name)))
      throw alreadyExists(`Database ${name} already exists.`, { reason: 'databaseAlreadyExists', http: 409 });
    const args = { charset: 'UTF8', collation: 'en_US.UTF8', ...call.body, name };
    return startSql(call, world, base, { type: 'CREATE_DATABASE', instance: call.at('instance'), args });
  },
  'sql.databases.get': (call, world) => shownDatabase(call, findDatabase(call, world), base),
  'sql.databases.list': (call, world) => {
    runnable(world, projectId(call), call.at('instance'));
    const all = databases(world).list(key(call, ''));
    return { kind: 'sql#databasesList', items: all.map((row) => shownDatabase(call, row, base)) };
  },
  'sql.databases.patch': (call, world) => changeDatabase(call, world, base),
  'sql.databases.update': (call, world) => changeDatabase(call, world, base),
  'sql.databases.delete': (call, world) => {
    findDatabase(call, world);
    if (call.at('database') === 'postgres') throw invalid('The system database cannot be deleted.');
    const args = { name: call.at('database') };
    return startSql(call, world, base, { type: 'DELETE_DATABASE', instance: call.at('instance'), args });
  },
  'sql.users.insert': (call, world) => {
    runnable(world, projectId(call), call.at('instance'));
    const name = textAt(call.body, 'name') ?? '';
    if (name === '') throw invalid('The name of a user is required.');
    if (users(world).has(key(call, name)))
      throw alreadyExists(`User ${name} already exists.`, { reason: 'userAlreadyExists' });
    const type = textAt(call.body, 'type') ?? 'BUILT_IN';
    if (type === 'BUILT_IN' && (textAt(call.body, 'password') ?? '') === '') throw invalid('A password is required.');
    return startSql(call, world, base, {
      type: 'CREATE_USER',
      instance: call.at('instance'),
      args: { ...call.body, name },
    });
  },
  'sql.users.get': (call, world) => shownUser(call, findUser(call, world, call.at('name'))),
  'sql.users.list': (call, world) => {
    runnable(world, projectId(call), call.at('instance'));
    const all = users(world).list(key(call, ''));
    return { kind: 'sql#usersList', items: all.map((row) => shownUser(call, row)) };
  },
  'sql.users.update': (call, world) => {
    const name = call.query('name') ?? textAt(call.body, 'name') ?? '';
    findUser(call, world, name);
    return startSql(call, world, base, {
      type: 'UPDATE_USER',
      instance: call.at('instance'),
      args: { ...call.body, name },
    });
  },
  'sql.users.delete': (call, world) => {
    const name = call.query('name') ?? '';
    findUser(call, world, name);
    return startSql(call, world, base, { type: 'DELETE_USER', instance: call.at('instance'), args: { name } });
  },
});

const projectId = (call: Call): string => call.project?.id ?? '';

const key = (call: Call, name: string): string => `${projectId(call)}/${call.at('instance')}/${name}`;

function findDatabase(call: Call, world: World): JsonObject {
  findInstance(world, projectId(call), call.at('instance'));
  const row = databases(world).get(key(call, call.at('database')));
  if (row === undefined) throw notFound('Not Found', { reason: 'notFound' });
  return row;
}

function findUser(call: Call, world: World, name: string): JsonObject {
  runnable(world, projectId(call), call.at('instance'));
  const row = users(world).get(key(call, name));
  if (row === undefined) throw notFound(`User ${name} does not exist.`, { reason: 'userDoesNotExist' });
  return row;
}

function changeDatabase(call: Call, world: World, base: string): Promise<JsonObject> {
  findDatabase(call, world);
  const args = { ...call.body, name: call.at('database') };
  return startSql(call, world, base, { type: 'UPDATE_DATABASE', instance: call.at('instance'), args });
}

function shownDatabase(call: Call, row: JsonObject, base: string): JsonObject {
  const { extensions: _, ...rest } = row;
  const path = `projects/${projectId(call)}/instances/${call.at('instance')}/databases/${written(row['name'])}`;
  return made({
    ...rest,
    kind: 'sql#database',
    project: projectId(call),
    instance: call.at('instance'),
    selfLink: `${base}/${path}`,
    etag: etagOf(rest),
  });
}

/** Never with its password, nor what is known of it. */
function shownUser(call: Call, row: JsonObject): JsonObject {
  const { password: _, fingerprint: __, ...rest } = row;
  return made({
    host: '',
    ...rest,
    kind: 'sql#user',
    project: projectId(call),
    instance: call.at('instance'),
    etag: etagOf(objectAt({ rest }, 'rest')),
  });
}
