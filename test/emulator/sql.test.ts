import { afterEach, describe, expect, test } from 'vitest';
import { ask, emulated, endEmulators } from './emulated.ts';
import type { Answer } from './emulated.ts';
import type { Emulator } from '../../src/emulator/emulator.ts';

afterEach(endEmulators);

const V1 = '/v1/projects/demo-project';
const V1BETA4 = '/sql/v1beta4/projects/demo-project';

const sql = (emulator: Emulator, method: string, path: string, body?: object): Promise<Answer> =>
  ask(emulator, method, 'sqladmin', path, body === undefined ? {} : { body });

const settings = { tier: 'db-f1-micro', userLabels: { a: 'b' }, dataApiAccess: 'ALLOW_DATA_API' };
const instance = { name: 'main', region: 'europe-west1', databaseVersion: 'POSTGRES_15', settings };

describe('Cloud SQL', () => {
  test('an instance takes time, is busy meanwhile, and both versions show the same one', async () => {
    // Three hundred seconds in one and a half: longer than the next request takes.
    const emulator = await emulated({ on: ['sqladmin'], speed: 200 });
    const begun = await sql(emulator, 'POST', `${V1}/instances`, instance);
    expect(begun.body).toMatchObject({ kind: 'sql#operation', status: 'RUNNING', operationType: 'CREATE' });
    const making = await sql(emulator, 'GET', `${V1BETA4}/instances/main`);
    expect(making.body).toMatchObject({ state: 'PENDING_CREATE', connectionName: 'demo-project:europe-west1:main' });
    const busy = await sql(emulator, 'PATCH', `${V1}/instances/main`, { settings: { dataDiskSizeGb: '20' } });
    expect(busy).toMatchObject({ status: 409, body: { error: { errors: [{ reason: 'operationInProgress' }] } } });
    const again = await sql(emulator, 'POST', `${V1}/instances`, instance);
    expect(again).toMatchObject({ status: 409, body: { error: { errors: [{ reason: 'instanceAlreadyExists' }] } } });
    const operation = `${V1BETA4}/operations/${String(begun.body.name)}`;
    await expect
      .poll(async () => (await sql(emulator, 'GET', operation)).body.status, { timeout: 20_000 })
      .toBe('DONE');
    const made = await sql(emulator, 'GET', `${V1}/instances/main`);
    expect(made.body).toMatchObject({ state: 'RUNNABLE', settings: { settingsVersion: '1', userLabels: { a: 'b' } } });
    expect(made.body.selfLink).toContain('/v1/projects/');
  });

  test('settings are changed under a version, disks never shrink, protected instances stay', async () => {
    const emulator = await emulated({ on: ['sqladmin'] });
    await sql(emulator, 'POST', `${V1}/instances`, instance);
    const patch = (change: object) => sql(emulator, 'PATCH', `${V1}/instances/main`, { settings: change });
    expect((await patch({ dataDiskSizeGb: '20', deletionProtectionEnabled: true, settingsVersion: '1' })).status).toBe(
      200,
    );
    expect((await patch({ dataDiskSizeGb: '30', settingsVersion: '1' })).status).toBe(412);
    expect((await patch({ dataDiskSizeGb: '10' })).status).toBe(400);
    expect((await patch({ tier: 'db-custom-1-1000' })).status).toBe(400);
    expect((await patch({ databaseFlags: [{ name: 'nonsense', value: '1' }] })).status).toBe(400);
    expect((await sql(emulator, 'DELETE', `${V1}/instances/main`)).status).toBe(400);
    await patch({ deletionProtectionEnabled: false });
    expect((await sql(emulator, 'DELETE', `${V1}/instances/main`)).status).toBe(200);
    const gone = await sql(emulator, 'GET', `${V1}/instances/main`);
    expect(gone).toMatchObject({ status: 404, body: { error: { errors: [{ reason: 'instanceDoesNotExist' }] } } });
  });

  test('a database, its user and an extension; the password is looked up in its secret and shown nowhere', async () => {
    const emulator = await emulated({ on: ['sqladmin', 'secretmanager'] });
    await sql(emulator, 'POST', `${V1}/instances`, instance);
    await sql(emulator, 'POST', `${V1}/instances/main/databases`, { name: 'app' });
    await sql(emulator, 'POST', `${V1}/instances/main/users`, { name: 'app', password: 'hush-hush' });
    const users = await sql(emulator, 'GET', `${V1BETA4}/instances/main/users`);
    expect(users.body.items.map(({ name }: { name: string }) => name)).toEqual(['app', 'postgres']);
    const secrets = '/v1/projects/demo-project/secrets';
    await ask(emulator, 'POST', 'secretmanager', `${secrets}?secretId=pw`, {
      body: { replication: { automatic: {} } },
    });
    const payload = (value: string) => ({ body: { payload: { data: Buffer.from(value).toString('base64') } } });
    await ask(emulator, 'POST', 'secretmanager', `${secrets}/pw:addVersion`, payload('wrong'));
    const run = (sqlStatement: string) =>
      sql(emulator, 'POST', `${V1}/instances/main/executeSql`, {
        database: 'app',
        user: 'app',
        sqlStatement,
        passwordSecretVersion: 'projects/demo-project/secrets/pw/versions/latest',
      });
    expect((await run('select 1')).body.status.message).toContain('password authentication failed');
    await ask(emulator, 'POST', 'secretmanager', `${secrets}/pw:addVersion`, payload('hush-hush'));
    expect((await run('CREATE EXTENSION IF NOT EXISTS vector')).body.results[0].message).toBe('CREATE EXTENSION');
    const listed = await run('select extname from pg_extension');
    expect(listed.body.results[0].rows.map((row: { values: [{ value: string }] }) => row.values[0].value)).toEqual([
      'plpgsql',
      'vector',
    ]);
    expect((await run('create extension nonsense')).body.status.message).toContain('not available');
    expect((await run('drop table users')).status).toBe(501);
    expect(JSON.stringify(emulator.world.state.snapshot())).not.toContain('hush-hush');
  });

  test('an operation that fails leaves an instance that failed', async () => {
    const emulator = await emulated({ on: ['sqladmin'] });
    emulator.world.faults.plan({
      method: 'sql.instances.insert',
      do: 'fail-operation',
      status: 'INTERNAL',
      message: 'no room',
    });
    const begun = await sql(emulator, 'POST', `${V1}/instances`, instance);
    const ended = await sql(emulator, 'GET', `${V1}/operations/${String(begun.body.name)}`);
    expect(ended.body).toMatchObject({ status: 'DONE', error: { errors: [{ message: 'no room' }] } });
    expect((await sql(emulator, 'GET', `${V1}/instances/main`)).body.state).toBe('FAILED');
  });

  test('backups, tiers and flags', async () => {
    const emulator = await emulated({ on: ['sqladmin'] });
    await sql(emulator, 'POST', `${V1}/instances`, instance);
    await sql(emulator, 'GET', `${V1}/instances/main`);
    await sql(emulator, 'POST', `${V1}/instances/main/backupRuns`, { description: 'before' });
    const runs = await sql(emulator, 'GET', `${V1BETA4}/instances/main/backupRuns`);
    expect(runs.body.items).toMatchObject([{ status: 'SUCCESSFUL', description: 'before' }]);
    expect(
      (await sql(emulator, 'DELETE', `${V1}/instances/main/backupRuns/${String(runs.body.items[0].id)}`)).status,
    ).toBe(200);
    expect((await sql(emulator, 'GET', `${V1}/tiers`)).body.items.length).toBeGreaterThan(1);
    const flags = await sql(emulator, 'GET', '/v1/flags?databaseVersion=POSTGRES_15');
    expect(flags.body.items.some(({ name }: { name: string }) => name === 'max_connections')).toBe(true);
  });
});
