import { afterAll, beforeAll, expect, test } from 'vitest';
import { postgresServer } from '../support/postgres.ts';
import type { PostgresServer } from '../support/postgres.ts';
import { ask, emulated, endEmulators } from './emulated.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await postgresServer();
});
afterAll(async () => {
  await server.stop();
});

test('with a server behind it, databases are real and statements run', async () => {
  const emulator = await emulated({ on: ['sqladmin', 'secretmanager'], postgres: server.url('postgres') });
  const sql = (path: string, body: object) =>
    ask(emulator, 'POST', 'sqladmin', `/v1/projects/demo-project/instances${path}`, { body });
  const settings = { tier: 'db-f1-micro', dataApiAccess: 'ALLOW_DATA_API' };
  await sql('', { name: 'main', databaseVersion: 'POSTGRES_15', region: 'europe-west1', settings });
  await sql('/main/databases', { name: 'app' });
  await sql('/main/users', { name: 'app', password: `it's` });
  await ask(emulator, 'POST', 'secretmanager', '/v1/projects/demo-project/secrets?secretId=pw', {
    body: { replication: { automatic: {} } },
  });
  await ask(emulator, 'POST', 'secretmanager', '/v1/projects/demo-project/secrets/pw:addVersion', {
    body: { payload: { data: Buffer.from(`it's`).toString('base64') } },
  });
  const run = (sqlStatement: string) =>
    sql('/main/executeSql', {
      database: 'app',
      user: 'app',
      sqlStatement,
      passwordSecretVersion: 'projects/demo-project/secrets/pw/versions/1',
    });
  await run('create table t (id int, name text)');
  await run(`insert into t values (1, 'one'), (2, null)`);
  const { body } = await run('select id, name from t order by id');
  expect(body.results[0].columns.map(({ name }: { name: string }) => name)).toEqual(['id', 'name']);
  expect(body.results[0].rows).toEqual([
    { values: [{ value: '1' }, { value: 'one' }] },
    { values: [{ value: '2' }, { nullValue: true }] },
  ]);
  expect((await run('select nonsense')).body.status.message).toContain('42703');
  await ask(emulator, 'DELETE', 'sqladmin', '/v1/projects/demo-project/instances/main');
  await ask(emulator, 'GET', 'sqladmin', '/v1/projects/demo-project/instances');
  const left = await server.sql('postgres', `select datname from pg_database where datname like 'emulated_%'`);
  expect(left).toEqual([]);
  await endEmulators();
});
