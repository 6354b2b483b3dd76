import { createRequire } from 'node:module';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { postgresServer, type PostgresServer } from '../support/postgres.ts';
import { ended, PARENT, running } from './deployed.ts';
import { ask, endEmulators } from './emulated.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await postgresServer();
});
afterAll(() => server.stop());
afterEach(endEmulators);

/** A migration: what it makes has to be there for the next one. */
const MIGRATION = `
const { Client } = require(${JSON.stringify(createRequire(import.meta.url).resolve('pg'))});
const client = new Client({ connectionString: process.env.DATABASE_URL });
client.connect()
  .then(() => client.query('create table if not exists done (at timestamptz default now())'))
  .then(() => client.query('insert into done default values'))
  .then(() => client.query('select count(*) as n from done'))
  .then(({ rows }) => console.log('rows: ' + rows[0].n + ' at ' + process.env.DATABASE_HOST))
  .then(() => client.end())
  .catch((error) => { console.error(error.message); process.exit(1); });
`;

test('a job reaches its database by the socket of Cloud SQL, by the names and password of its instance', async () => {
  const { emulator, image } = await running({}, { postgres: server.url('postgres') });
  const reference = await image('migrate', { 'main.js': MIGRATION });
  const project = '/v1/projects/demo-project';
  const sql = (path: string, body: object) =>
    ask(emulator, 'POST', 'sqladmin', `${project}/instances${path}`, { body });
  await sql('', {
    name: 'main',
    databaseVersion: 'POSTGRES_15',
    region: 'europe-west1',
    settings: { tier: 'db-f1-micro' },
  });
  await sql('/main/databases', { name: 'app' });
  await sql('/main/users', { name: 'app', password: 'secret' });
  await ask(emulator, 'POST', 'iam', `${project}/serviceAccounts`, { body: { accountId: 'runner' } });
  const email = 'runner@demo-project.iam.gserviceaccount.com';
  emulator.world.policies.set('projects/demo-project', {
    bindings: [{ role: 'roles/cloudsql.client', members: [`serviceAccount:${email}`] }],
  });
  const connection = 'demo-project:europe-west1:main';
  const job = (password: string) => ({
    template: {
      template: {
        serviceAccount: email,
        maxRetries: 0,
        volumes: [{ name: 'cloudsql', cloudSqlInstance: { instances: [connection] } }],
        containers: [
          {
            image: reference,
            env: [
              { name: 'DATABASE_HOST', value: `/cloudsql/${connection}` },
              {
                name: 'DATABASE_URL',
                value: `postgres://app:${password}@/app?host=${encodeURIComponent(`/cloudsql/${connection}`)}`,
              },
            ],
          },
        ],
      },
    },
  });
  const run = async () =>
    ended(emulator, await ask(emulator, 'POST', 'run', `${PARENT}/jobs/migrate:run`, { body: {} }));
  const said = () =>
    emulator.world.signals
      .logged()
      .flatMap(({ textPayload }) => (typeof textPayload === 'string' ? [textPayload] : []));

  await ended(emulator, await ask(emulator, 'POST', 'run', `${PARENT}/jobs?jobId=migrate`, { body: job('secret') }));
  expect((await run()).error).toBeUndefined();
  expect((await run()).error).toBeUndefined();
  expect(
    said()
      .filter((line) => line.startsWith('rows:'))
      .map((line) => line.split(' at ')[0]),
  ).toEqual(['rows: 1', 'rows: 2']);

  await ended(emulator, await ask(emulator, 'PATCH', 'run', `${PARENT}/jobs/migrate`, { body: job('wrong') }));
  expect((await run()).error).toBeDefined();
  expect(said().at(-1)).toContain('password authentication failed');
});
