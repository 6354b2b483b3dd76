import { afterAll, beforeAll } from 'vitest';
import { openPostgresStore } from '../../src/store/postgres/open.ts';
import { type PostgresServer, postgresServer } from '../support/postgres.ts';
import { modelSuite } from './store-model-suite.ts';
import { storeSuite } from './store-suite.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await postgresServer();
}, 300_000);
afterAll(() => server.stop());

storeSuite('Postgres', async () =>
  openPostgresStore({ url: server.url(await server.newDatabase()), owner: null, patienceMs: 60_000 }),
);

let database: string | null = null;

modelSuite('Postgres', async () => openPostgresStore({ url: await emptied(), owner: null, patienceMs: 60_000 }), {
  numRuns: 25,
});

/** The same database again, without its rows: quicker to have than a new one. */
async function emptied(): Promise<string> {
  if (database === null) {
    database = await server.newDatabase();
    return server.url(database);
  }
  const tables = await server.sql(
    database,
    `select string_agg(tablename, ', ') as names from pg_tables
      where schemaname = 'public' and tablename not in ('migrations', 'evenkeel_store')`,
  );
  await server.sql(database, `truncate ${String(tables[0]?.['names'])}`);
  return server.url(database);
}
