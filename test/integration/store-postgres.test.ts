import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openStore } from '../../src/app/open-store.ts';
import { evenkeelPaths, prepareHome } from '../../src/platform/paths.ts';
import type { Migration } from '../../src/store/migrate.ts';
import type { StoreOwner } from '../../src/store/postgres/owner.ts';
import { aDeployment, aJudgedRollout, anEntry, aRelease } from '../conformance/store-fixtures.ts';
import { PASSWORD } from '../support/postgres.ts';
import { postgresFile } from '../support/postgres-store.ts';
import { tempDir } from '../support/temp.ts';

const pg = postgresFile();

const migration = (number: number, sql: string): Migration => ({ number, name: `m${number}`, sql, checksum: sql });
const tables = async (): Promise<unknown[]> =>
  (await pg.server.sql(pg.database, `select tablename from pg_tables where schemaname = 'public' order by 1`)).map(
    ({ tablename }) => tablename,
  );

test('what was written is there after the store was opened again', async () => {
  const first = await pg.open();
  await first.createRollout(aJudgedRollout('r1'), anEntry());
  expect(await first.nextFence()).toBe(1);
  await first.close();
  const second = await pg.open();
  expect(await second.rollout('r1')).toEqual(aJudgedRollout('r1'));
  expect(await second.nextFence()).toBe(2);
});

test('a NUL, which the database cannot keep, does not keep the rest from being written', async () => {
  const store = await pg.open();
  await store.addReleases([aRelease('api', 1, { createdBy: 'ann\0 and bob' })]);
  expect(await store.release('chat', 'api@1')).toMatchObject({ createdBy: 'ann\uFFFD and bob' });
});

test('text is ordered byte by byte in a database that sorts otherwise', async () => {
  const store = await pg.open();
  const [sorted] = await pg.server.sql(pg.database, `select 'B' < 'a' as bytes`);
  expect(sorted).toEqual({ bytes: false });
  await store.ensureDeployments(['ab', 'a-c', 'B', 'a'].map((service) => aDeployment(service)));
  const names = (await store.deployments('chat', 'production')).map(({ service }) => service);
  expect(names).toEqual(['B', 'a', 'a-c', 'ab']);
});

test('a number beyond what can be counted exactly is an error, and not another number', async () => {
  const store = await pg.open();
  await store.nextFence();
  await pg.server.sql(pg.database, `update counters set value = 9007199254740993`);
  await expect(store.nextFence()).rejects.toMatchObject({ code: 'store-corrupt' });
});

test('migrations are applied once, in order, and keep what is there', async () => {
  const one = migration(1, 'create table t (a text)');
  await (await pg.open({ migrations: [one] })).close();
  await pg.server.sql(pg.database, `insert into t values ('kept')`);
  const two = migration(2, `alter table t add column b text; update t set b = a || '!'`);
  await (await pg.open({ migrations: [one, two] })).close();
  await (await pg.open({ migrations: [one, two] })).close();
  expect(await pg.server.sql(pg.database, 'select a, b from t')).toEqual([{ a: 'kept', b: 'kept!' }]);
});

test('a migration that fails leaves the store as it was before all of them', async () => {
  const one = migration(1, 'create table t (a text)');
  await (await pg.open({ migrations: [one] })).close();
  const two = migration(2, 'create table u (a text)');
  const broken = migration(3, 'create table v (a text); insert into nowhere values (1)');
  await expect(pg.open({ migrations: [one, two, broken] })).rejects.toMatchObject({ code: 'store-failed' });
  expect(await tables()).toEqual(['evenkeel_store', 'migrations', 't']);
});

test('a store of a newer evenkeel, or of another history, is refused', async () => {
  const one = migration(1, 'create table t (a text)');
  const two = migration(2, 'create table u (a text)');
  await (await pg.open({ migrations: [one, two] })).close();
  await expect(pg.open({ migrations: [one] })).rejects.toMatchObject({ code: 'store-newer' });
  const changed = migration(1, 'create table t (a text, b text)');
  await expect(pg.open({ migrations: [changed, two] })).rejects.toMatchObject({ code: 'store-migration-changed' });
});

test('a database in which somebody else keeps tables is left alone', async () => {
  await pg.server.sql(pg.database, 'create table customers (id int)');
  await expect(pg.open()).rejects.toMatchObject({
    code: 'store-foreign',
    why: expect.stringContaining('customers') as string,
    next: expect.stringContaining('EVENKEEL_DATABASE_URL') as string,
  });
  expect(await tables()).toEqual(['customers']);
});

test('a database belongs to one home', async () => {
  const owner = (id: string, knows = false): StoreOwner => ({ id, knows, name: `machine-${id}:/home` });
  await (await pg.open({ owner: owner('one') })).close();
  await (await pg.open({ owner: owner('one', true) })).close();
  await expect(pg.open({ owner: owner('two') })).rejects.toMatchObject({
    code: 'store-taken',
    why: expect.stringContaining('machine-one:/home') as string,
  });
  await pg.server.sql(pg.database, 'delete from evenkeel_store');
  // Emptied, or another database than the one it used: not a place to begin anew without a word.
  await expect(pg.open({ owner: owner('one', true) })).rejects.toMatchObject({ code: 'store-missing' });
  await (await pg.open({ owner: owner('two') })).close();
});

test('a user who may not write is told what is missing', async () => {
  await pg.server.sql(pg.database, `create role reader login password 'reader'`);
  await (await pg.open()).close();
  const url = pg.server.url(pg.database).replace(/admin:[^@]*@/, 'reader:reader@');
  await expect(pg.open({ url })).rejects.toMatchObject({ code: 'store-readonly', exit: 1 });
  await pg.server.sql('postgres', `alter database ${pg.database} set default_transaction_read_only = on`);
  // A default, which a transaction that says otherwise overrides.
  expect(await (await pg.open()).nextFence()).toBe(1);
});

test('a password that is missing is not looked for elsewhere', async () => {
  const url = pg.server.url(pg.database).replace(/:[^:@/]*@/, '@');
  process.env['PGPASSWORD'] = PASSWORD;
  onTestFinished(() => void delete process.env['PGPASSWORD']);
  await expect(pg.open({ url })).rejects.toMatchObject({ code: 'store-refused', retryable: false });
});

test('a database that is not there, or that speaks another encoding, is refused with a next step', async () => {
  const missing = pg.server.url('no_such_database');
  await expect(pg.open({ url: missing })).rejects.toMatchObject({ code: 'store-refused', exit: 1, retryable: false });
  await pg.server.sql(
    'postgres',
    `create database latin1 encoding 'LATIN1' locale 'C' template template0 locale_provider libc`,
  );
  await expect(pg.open({ url: pg.server.url('latin1') })).rejects.toMatchObject({
    code: 'store-refused',
    why: expect.stringContaining('UTF8') as string,
  });
});

test('a home that has its state in a file keeps it there', async () => {
  const paths = evenkeelPaths({ EVENKEEL_HOME: join(tempDir('home'), 'h') });
  prepareHome(paths);
  await (await openStore({}, paths)).close();
  const env = { EVENKEEL_DATABASE_URL: pg.server.url(pg.database) };
  await expect(openStore(env, paths)).rejects.toMatchObject({ code: 'store-here', where: paths.store });
  expect(await tables()).toEqual([]);
  // A project's own database is not looked at, whatever it is.
  await (await openStore({ DATABASE_URL: pg.server.url(pg.database) }, paths)).close();
  expect(await tables()).toEqual([]);
});
