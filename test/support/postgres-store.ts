import { afterAll, beforeAll, beforeEach, onTestFinished } from 'vitest';
import type { Store } from '../../src/ports/store.ts';
import { openPostgresStore, type PostgresOptions } from '../../src/store/postgres/open.ts';
import { type PostgresServer, postgresServer } from './postgres.ts';

/** A server for the tests of one file, with an empty database for each of them. */
export interface PostgresFile {
  readonly server: PostgresServer;
  /** The name of the test's database. */
  readonly database: string;
  /** Opens a store on it that the test's end closes. Much patience, unless a test is about having none. */
  open(options?: Partial<PostgresOptions>): Promise<Store>;
}

/** To be called where a test file begins. */
export function postgresFile(): PostgresFile {
  let server: PostgresServer;
  let database: string;
  beforeAll(async () => {
    server = await postgresServer();
  }, 300_000);
  afterAll(() => server.stop());
  beforeEach(async () => {
    database = await server.newDatabase();
  });
  return {
    get server() {
      return server;
    },
    get database() {
      return database;
    },
    async open(options = {}) {
      const store = await openPostgresStore({ url: server.url(database), owner: null, patienceMs: 40_000, ...options });
      onTestFinished(() => store.close());
      return store;
    },
  };
}
