import { afterAll, beforeAll, expect, test } from 'vitest';
import { openPostgresStore } from '../../src/store/postgres/open.ts';
import { cuttingProxy } from '../support/cutting-proxy.ts';
import { type PostgresServer, postgresServer } from '../support/postgres.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await postgresServer({ tls: true });
}, 300_000);
afterAll(() => server.stop());

/** What opening the store with these parameters ends with: the way its connections took, or the code of the error. */
async function opened(parameters: string, port = server.port): Promise<string> {
  const database = await server.newDatabase();
  const url = `${server.url(database, { host: '127.0.0.1', port })}${parameters}`;
  try {
    const store = await openPostgresStore({ url, owner: null, patienceMs: 2_000 });
    await store.nextFence();
    const [row] = await server.sql(
      database,
      `select bool_and(ssl) as ssl from pg_stat_ssl join pg_stat_activity using (pid)
        where datname = '${database}' and application_name like 'evenkeel %'`,
    );
    await store.close();
    return row?.['ssl'] === true ? 'encrypted' : 'in the clear';
  } catch (error) {
    return (error as { code: string }).code;
  }
}

test('the connection is encrypted when the address says so, and the server proves its name', async () => {
  expect(await opened('')).toBe('in the clear');
  expect(await opened('?sslmode=require')).toBe('encrypted');
  expect(await opened(`?sslmode=verify-full&sslrootcert=${server.certificate}`)).toBe('encrypted');
  // Nobody that the system trusts has signed it.
  expect(await opened('?sslmode=verify-full')).toBe('store-refused');
});

test('a server that speaks no TLS is refused, and not spoken to without it', async () => {
  // It has none on its Unix socket, to which this leads.
  const proxy = await cuttingProxy(server.socket);
  expect(await opened('?sslmode=require', proxy.port)).toBe('store-refused');
  await proxy.close();
});
