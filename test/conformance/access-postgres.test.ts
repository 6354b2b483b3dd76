import { afterAll, beforeAll } from 'vitest';
import { openPostgresStore } from '../../src/store/postgres/open.ts';
import { type PostgresServer, postgresServer } from '../support/postgres.ts';
import { accessSuite, upgradeSuite } from './access-suite.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await postgresServer();
}, 300_000);
afterAll(() => server.stop());

let database: string | null = null;

accessSuite('Postgres', async () => {
  database = database === null ? await server.newDatabase() : await emptied(database);
  const url = server.url(database);
  const open = () => openPostgresStore({ url, owner: null, patienceMs: 60_000 });
  return [await open(), await open()];
});

upgradeSuite('Postgres', async () => {
  const name = await server.newDatabase();
  const url = server.url(name);
  return {
    open: (options) => openPostgresStore({ url, owner: null, patienceMs: 60_000, ...options }),
    sql: (text) => server.sql(name, text),
  };
});

/** As it was when it was new: quicker than another one. */
async function emptied(name: string): Promise<string> {
  await server.sql(
    name,
    `truncate users, projects, roles, sign_in_attempts cascade;
      delete from organizations where id <> 'default';
      update organizations set name = 'default'`,
  );
  return name;
}
