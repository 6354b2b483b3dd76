import { statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import type { Store } from '../../src/ports/store.ts';
import { type Migration, readMigrations } from '../../src/store/migrate.ts';
import { openSqliteStore, type SqliteOptions } from '../../src/store/sqlite/open.ts';
import { aJudgedRollout, anEntry, aProject, aRelease, aRollout } from '../conformance/store-fixtures.ts';
import { tempDir } from '../support/temp.ts';

const newFile = () => join(tempDir('store'), 'home', 'state.db');

async function open(options: SqliteOptions): Promise<Store> {
  const store = await openSqliteStore(options);
  onTestFinished(() => store.close());
  return store;
}

function raw(file: string): DatabaseSync {
  const database = new DatabaseSync(file);
  onTestFinished(() => (database.isOpen ? database.close() : undefined));
  return database;
}

const migration = (number: number, sql: string): Migration => ({ number, name: `m${number}`, sql, checksum: sql });

test('what was written is there after the store was opened again', async () => {
  const file = newFile();
  const first = await open({ file });
  await first.createRollout(aJudgedRollout('r1'), anEntry());
  expect(await first.nextFence()).toBe(1);
  await first.close();
  const second = await open({ file });
  expect(await second.rollout('r1')).toEqual(aJudgedRollout('r1'));
  expect(await second.nextFence()).toBe(2);
});

test('a NUL in text is kept as the character that stands for what cannot be shown, as in Postgres', async () => {
  const store = await open({ file: newFile() });
  await store.addReleases([aRelease('api', 1, { createdBy: 'ann\0 and bob' })]);
  expect(await store.release('chat', 'api@1')).toMatchObject({ createdBy: 'ann\uFFFD and bob' });
});

test('its files are for their owner only', async () => {
  const file = newFile();
  const store = await open({ file });
  await store.nextFence();
  for (const each of [file, `${file}-wal`, `${file}.reserve`]) expect(statSync(each).mode & 0o777).toBe(0o600);
  expect(statSync(join(file, '..')).mode & 0o777).toBe(0o700);
});

test('a row that cannot be understood is named, and the others can still be read', async () => {
  const file = newFile();
  const store = await open({ file });
  await store.createRollout(aRollout('good', ['api']), anEntry());
  await store.createRollout(aRollout('bad', ['web']), anEntry());
  await store.addReleases([aRelease('api', 1)]);
  const database = raw(file);
  database.exec(`update rollouts set state = '{"kind":"deploy"' where id = 'bad'`);
  await expect(store.rollout('bad')).rejects.toMatchObject({ code: 'store-corrupt', where: 'rollouts bad' });
  database.exec(`update rollouts set state = '{}', phase = 'pending' where id = 'bad'`);
  await expect(store.rollouts({})).rejects.toMatchObject({ code: 'store-corrupt', where: 'rollouts bad' });
  database.exec(`update releases set config = replace(config, '"kind":"http"', '"kind":"http","new":1')`);
  await expect(store.release('chat', 'api@1')).rejects.toMatchObject({
    code: 'store-corrupt',
    where: 'releases api@1',
  });
  expect(await store.rollout('good')).toMatchObject({ id: 'good' });
});

test('a damaged file is refused as it is', async () => {
  const file = newFile();
  const store = await open({ file });
  const releases = Array.from({ length: 60 }, (_, index) => aRelease('api', index + 1));
  await store.addReleases(releases);
  await store.close();
  truncateSync(file, statSync(file).size - 8 * 4096);
  await expect(openSqliteStore({ file })).rejects.toMatchObject({ code: 'store-corrupt', where: file });
  writeFileSync(file, 'this is a letter to a friend, and not a database at all. '.repeat(100));
  await expect(openSqliteStore({ file })).rejects.toMatchObject({ code: 'store-corrupt', where: file });
});

test('migrations are applied once, in order, and keep what is there', async () => {
  const file = newFile();
  const one = migration(1, 'create table t (a text)');
  await (await open({ file, migrations: [one] })).close();
  raw(file).exec(`insert into t values ('kept')`);
  const two = migration(2, `alter table t add column b text; update t set b = a || '!'`);
  await (await open({ file, migrations: [one, two] })).close();
  await (await open({ file, migrations: [one, two] })).close();
  expect(raw(file).prepare('select a, b from t').all()).toEqual([{ a: 'kept', b: 'kept!' }]);
});

test('a migration that fails leaves the store as it was before all of them', async () => {
  const file = newFile();
  const one = migration(1, 'create table t (a text)');
  await (await open({ file, migrations: [one] })).close();
  const two = migration(2, 'create table u (a text)');
  const broken = migration(3, 'create table v (a text); insert into nowhere values (1)');
  await expect(openSqliteStore({ file, migrations: [one, two, broken] })).rejects.toThrow();
  const tables = raw(file).prepare(`select name from sqlite_master where type = 'table' order by name`).all();
  expect(tables.map(({ name }) => name)).toEqual(['migrations', 't']);
  await (await open({ file, migrations: [one, two] })).close();
});

test('a store of a newer evenkeel, or of another history, is refused', async () => {
  const file = newFile();
  const one = migration(1, 'create table t (a text)');
  const two = migration(2, 'create table u (a text)');
  await (await open({ file, migrations: [one, two] })).close();
  await expect(openSqliteStore({ file, migrations: [one] })).rejects.toMatchObject({ code: 'store-newer' });
  const changed = migration(1, 'create table t (a text, b text)');
  await expect(openSqliteStore({ file, migrations: [changed, two] })).rejects.toMatchObject({
    code: 'store-migration-changed',
  });
});

test('the shipped migrations stay as they were released', () => {
  const folder = new URL('../../src/store/migrations/', import.meta.url);
  const names = readMigrations(folder).map(({ number, name }) => `${number} ${name}`);
  expect(names).toEqual([
    '1 start',
    '2 addresses',
    '3 contracts',
    '4 leases',
    '5 running',
    '6 access',
    '7 audit',
    '8 environment-digest',
  ]);
});

test('what somebody else made of an environment is read, and not what was known of it', async () => {
  const file = newFile();
  const store = await open({ file });
  const config = aProject('chat');
  const record = { project: 'chat', environment: 'production', config, wanted: 'up' as const, updatedAt: 1 };
  await store.saveEnvironment(record);
  const name = async () => (await store.environment('chat', 'production'))?.config.name;
  expect([await name(), await name()]).toEqual(['chat', 'chat']);
  const written = raw(file);
  const text = JSON.stringify({ ...config, name: 'talk' });
  // As an evenkeel did that knew of no digests.
  written.prepare(`update environments set config = ?, config_digest = ''`).run(text);
  expect([await name(), await name()]).toEqual(['talk', 'talk']);
  await (await open({ file })).saveEnvironment(record);
  expect([await name(), (await store.environments())[0]?.config.name]).toEqual(['chat', 'chat']);
});

test('several open the same new file at once', async () => {
  const file = newFile();
  const stores = await Promise.all(Array.from({ length: 4 }, () => open({ file })));
  const fences = await Promise.all(Array.from({ length: 40 }, (_, index) => (stores[index % 4] as Store).nextFence()));
  expect(fences.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, index) => index + 1));
});

test('while another process writes, this one goes on with everything else, and then writes too', async () => {
  const file = newFile();
  const store = await open({ file });
  await store.createRollout(aRollout('r1', ['api']), anEntry());
  const other = raw(file);
  other.exec('begin immediate');
  let done = false;
  const fence = store.nextFence().finally(() => (done = true));
  for (let turn = 0; turn < 10; turn++) {
    expect(await store.rollout('r1')).toMatchObject({ id: 'r1' });
    await sleep(10);
  }
  expect(done).toBe(false);
  other.exec('commit');
  expect(await fence).toBe(1);
});

test('another process that keeps the lock is an error that may pass', async () => {
  const file = newFile();
  const store = await open({ file, patienceMs: 100 });
  const other = raw(file);
  other.exec('begin immediate');
  await expect(store.nextFence()).rejects.toMatchObject({ code: 'store-busy', retryable: true });
  other.exec('rollback');
  expect(await store.nextFence()).toBe(1);
});

test('a lost reserve is made again when the store is opened', async () => {
  const file = newFile();
  await (await open({ file })).close();
  writeFileSync(`${file}.reserve`, 'cut short');
  await (await open({ file })).close();
  expect(statSync(`${file}.reserve`).size).toBe(1024 * 1024);
});

test('a folder that cannot be made is an error with a next step', async () => {
  const folder = tempDir('store');
  writeFileSync(join(folder, 'home'), 'a file');
  await expect(openSqliteStore({ file: join(folder, 'home', 'state.db') })).rejects.toMatchObject({
    code: 'store-failed',
    next: expect.stringContaining('state.db') as string,
  });
});

test('an environment is understood once as long as it stays the same, and no reader can change it for others', async () => {
  const store = await open({ file: newFile() });
  const saved = {
    project: 'chat',
    environment: 'production',
    config: aProject('chat'),
    wanted: 'up' as const,
    updatedAt: 1,
  };
  await store.saveEnvironment(saved);
  const [one, other] = [await store.environment('chat', 'production'), (await store.environments())[0]];
  expect(other?.config).toBe(one?.config);
  expect(() => one?.config.services.pop()).toThrow(TypeError);
  expect(await store.environment('chat', 'production')).toEqual(saved);
});
