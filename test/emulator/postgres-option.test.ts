import { expect, test } from 'vitest';
import { runEmulator } from '../../src/app/cloud/run-emulator.ts';
import { fakeCloud } from '../support/cloud/fake-cloud.ts';
import { cloudCli, FILE } from '../support/cloud/cli.ts';
import { tempDir } from '../support/temp.ts';

const ABSENT = 'postgres://me@127.0.0.1:1/postgres';

/** What came of making an instance in an emulator that was started so. */
async function madeOver(postgres: string | null, env: Record<string, string>): Promise<string> {
  const stop = new AbortController();
  let said = '';
  await runEmulator(
    {
      port: 0,
      token: 't',
      folder: null,
      postgres,
      signal: stop.signal,
      onListening({ url }) {
        void (async () => {
          const headers = { authorization: 'Bearer t', 'content-type': 'application/json' };
          const body = JSON.stringify({
            name: 'main',
            databaseVersion: 'POSTGRES_15',
            region: 'europe-west1',
            settings: { tier: 'db-f1-micro' },
          });
          const sql = `${url}/v1/projects/demo-project`;
          const api = `${url}/v1/projects/demo-project/services/sqladmin.googleapis.com:enable`;
          await fetch(api, { method: 'POST', headers, body: '{}' });
          const { name } = (await (await fetch(`${sql}/instances`, { method: 'POST', headers, body })).json()) as {
            name: string;
          };
          do said = await (await fetch(`${sql}/operations/${name}`, { headers })).text();
          while (/"status": ?"(PENDING|RUNNING)"/.test(said));
        })().finally(() => stop.abort());
      },
    },
    { EVENKEEL_EMULATOR_SPEED: '1000000', ...env },
  );
  return said;
}

test('databases are made on the server that was named, by option or by environment', async () => {
  const refused = 'The Postgres server behind the emulator does not answer';
  expect(await madeOver(ABSENT, {})).toContain(refused);
  expect(await madeOver(null, { EVENKEEL_EMULATOR_POSTGRES: ABSENT })).toContain(refused);
  const without = await madeOver(null, {});
  expect([without.includes('"DONE"'), without.includes(refused)]).toEqual([true, false]);
});

test('a password in the address is refused, and said nowhere', async () => {
  const cli = cloudCli(fakeCloud(), tempDir('chat'), FILE);
  const { code, stdout, stderr } = await cli([
    'cloud',
    'emulator',
    '--postgres',
    'postgres://me:hush-hush@127.0.0.1/postgres',
  ]);
  expect([code, stderr.includes('PGPASSWORD'), `${stdout}${stderr}`.includes('hush-hush')]).toEqual([1, true, false]);
  expect((await cli(['cloud', 'emulator', '--postgres', 'here'])).stderr).toContain('postgres://me@127.0.0.1');
});
