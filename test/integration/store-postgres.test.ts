import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { openStore } from '../../src/app/open-store.ts';
import { evenkeelPaths, prepareHome } from '../../src/platform/paths.ts';
import type { Store } from '../../src/ports/store.ts';
import type { Migration } from '../../src/store/migrate.ts';
import { openPostgresStore, type PostgresOptions } from '../../src/store/postgres/open.ts';
import type { StoreOwner } from '../../src/store/postgres/owner.ts';
import { aDeployment, aJudgedRollout, anEntry, aRelease } from '../conformance/store-fixtures.ts';
import { PASSWORD, type PostgresServer, postgresServer } from '../support/postgres.ts';
import { tempDir } from '../support/temp.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await postgresServer();
}, 300_000);
afterAll(() => server.stop());

let database: string;
beforeEach(async () => {
  database = await server.newDatabase();
});

async function open(options: Partial<PostgresOptions> = {}): Promise<Store> {
  const store = await openPostgresStore({ url: server.url(database), owner: null, patienceMs: 40_000, ...options });
  onTestFinished(() => store.close());
  return store;
}

const migration = (number: number, sql: string): Migration => ({ number, name: `m${number}`, sql, checksum: sql });
const tables = async (): Promise<unknown[]> =>
  (await server.sql(database, `select tablename from pg_tables where schemaname = 'public' order by 1`)).map(
    ({ tablename }) => tablename,
  );

test('what was written is there after the store was opened again', async () => {
  const first = await open();
  await first.createRollout(aJudgedRollout('r1'), anEntry());
  expect(await first.nextFence()).toBe(1);
  await first.close();
  const second = await open();
  expect(await second.rollout('r1')).toEqual(aJudgedRollout('r1'));
  expect(await second.nextFence()).toBe(2);
});

test('a NUL, which the database cannot keep, does not keep the rest from being written', async () => {
  const store = await open();
  await store.addReleases([aRelease('api', 1, { createdBy: 'ann\0 and bob' })]);
  expect(await store.release('chat', 'api@1')).toMatchObject({ createdBy: 'ann\uFFFD and bob' });
});

test('text is ordered byte by byte in a database that sorts otherwise', async () => {
  const store = await open();
  const [sorted] = await server.sql(database, `select 'B' < 'a' as bytes`);
  expect(sorted).toEqual({ bytes: false });
  await store.ensureDeployments(['ab', 'a-c', 'B', 'a'].map((service) => aDeployment(service)));
  const names = (await store.deployments('chat', 'production')).map(({ service }) => service);
  expect(names).toEqual(['B', 'a', 'a-c', 'ab']);
});

test('a number beyond what can be counted exactly is an error, and not another number', async () => {
  const store = await open();
  await store.nextFence();
  await server.sql(database, `update counters set value = 9007199254740993`);
  await expect(store.nextFence()).rejects.toMatchObject({ code: 'store-corrupt' });
});

test('migrations are applied once, in order, and keep what is there', async () => {
  const one = migration(1, 'create table t (a text)');
  await (await open({ migrations: [one] })).close();
  await server.sql(database, `insert into t values ('kept')`);
  const two = migration(2, `alter table t add column b text; update t set b = a || '!'`);
  await (await open({ migrations: [one, two] })).close();
  await (await open({ migrations: [one, two] })).close();
  expect(await server.sql(database, 'select a, b from t')).toEqual([{ a: 'kept', b: 'kept!' }]);
});

test('a migration that fails leaves the store as it was before all of them', async () => {
  const one = migration(1, 'create table t (a text)');
  await (await open({ migrations: [one] })).close();
  const two = migration(2, 'create table u (a text)');
  const broken = migration(3, 'create table v (a text); insert into nowhere values (1)');
  await expect(open({ migrations: [one, two, broken] })).rejects.toMatchObject({ code: 'store-failed' });
  expect(await tables()).toEqual(['evenkeel_store', 'migrations', 't']);
});

test('a store of a newer evenkeel, or of another history, is refused', async () => {
  const one = migration(1, 'create table t (a text)');
  const two = migration(2, 'create table u (a text)');
  await (await open({ migrations: [one, two] })).close();
  await expect(open({ migrations: [one] })).rejects.toMatchObject({ code: 'store-newer' });
  const changed = migration(1, 'create table t (a text, b text)');
  await expect(open({ migrations: [changed, two] })).rejects.toMatchObject({ code: 'store-migration-changed' });
});

test('a database in which somebody else keeps tables is left alone', async () => {
  await server.sql(database, 'create table customers (id int)');
  await expect(open()).rejects.toMatchObject({
    code: 'store-foreign',
    why: expect.stringContaining('customers') as string,
    next: expect.stringContaining('EVENKEEL_DATABASE_URL') as string,
  });
  expect(await tables()).toEqual(['customers']);
});

test('a database belongs to one home', async () => {
  const owner = (id: string, knows = false): StoreOwner => ({ id, knows, name: `machine-${id}:/home` });
  await (await open({ owner: owner('one') })).close();
  await (await open({ owner: owner('one', true) })).close();
  await expect(open({ owner: owner('two') })).rejects.toMatchObject({
    code: 'store-taken',
    why: expect.stringContaining('machine-one:/home') as string,
  });
  await server.sql(database, 'delete from evenkeel_store');
  // Emptied, or another database than the one it used: not a place to begin anew without a word.
  await expect(open({ owner: owner('one', true) })).rejects.toMatchObject({ code: 'store-missing' });
  await (await open({ owner: owner('two') })).close();
});

test('a user who may not write is told what is missing', async () => {
  await server.sql(database, `create role reader login password 'reader'`);
  await (await open()).close();
  const url = server.url(database).replace(/admin:[^@]*@/, 'reader:reader@');
  await expect(open({ url })).rejects.toMatchObject({ code: 'store-readonly', exit: 1 });
  await server.sql('postgres', `alter database ${database} set default_transaction_read_only = on`);
  // A default, which a transaction that says otherwise overrides.
  expect(await (await open()).nextFence()).toBe(1);
});

test('a password that is missing is not looked for elsewhere', async () => {
  const url = server.url(database).replace(/:[^:@/]*@/, '@');
  process.env['PGPASSWORD'] = PASSWORD;
  onTestFinished(() => void delete process.env['PGPASSWORD']);
  await expect(open({ url })).rejects.toMatchObject({ code: 'store-refused', retryable: false });
});

test('a database that is not there, or that speaks another encoding, is refused with a next step', async () => {
  const missing = server.url('no_such_database');
  await expect(open({ url: missing })).rejects.toMatchObject({ code: 'store-refused', exit: 1, retryable: false });
  await server.sql(
    'postgres',
    `create database latin1 encoding 'LATIN1' locale 'C' template template0 locale_provider libc`,
  );
  await expect(open({ url: server.url('latin1') })).rejects.toMatchObject({
    code: 'store-refused',
    why: expect.stringContaining('UTF8') as string,
  });
});

test('a home that has its state in a file keeps it there', async () => {
  const paths = evenkeelPaths({ EVENKEEL_HOME: join(tempDir('home'), 'h') });
  prepareHome(paths);
  await (await openStore({}, paths)).close();
  const env = { EVENKEEL_DATABASE_URL: server.url(database) };
  await expect(openStore(env, paths)).rejects.toMatchObject({ code: 'store-here', where: paths.store });
  expect(await tables()).toEqual([]);
  // A project's own database is not looked at, whatever it is.
  await (await openStore({ DATABASE_URL: server.url(database) }, paths)).close();
  expect(await tables()).toEqual([]);
});
