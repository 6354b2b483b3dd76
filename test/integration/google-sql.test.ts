import { afterEach, describe, expect, test } from 'vitest';
import type { CloudConfig, CloudDatabase } from '../../src/domain/cloud/config.ts';
import type { PlannedFault } from '../../src/emulator/core/faults.ts';
import { ask, emulated, endEmulators } from '../emulator/emulated.ts';
import { waitFor } from '../support/wait.ts';
import { CONFIG, DATABASE, desiredFor, driverAt, never, quiet, seen, setUp } from '../support/google.ts';

afterEach(endEmulators);

const config = (database: CloudDatabase = DATABASE): CloudConfig => ({
  ...CONFIG,
  network: null,
  database,
  secrets: [
    { variable: 'DATABASE_PASSWORD', id: database.passwordSecret },
    { variable: 'DATABASE_URL', id: database.urlSecret },
  ],
});

const secretOf = async (emulator: Parameters<typeof ask>[0], id: string): Promise<string> => {
  const path = `/v1/projects/demo-project/secrets/${id}/versions/latest:access`;
  const { body } = await ask(emulator, 'GET', 'secretmanager', path);
  return Buffer.from(String(body.payload.data), 'base64').toString();
};

const instanceOf = async (emulator: Parameters<typeof ask>[0]) =>
  (await ask(emulator, 'GET', 'sqladmin', `/v1/projects/demo-project/instances/${DATABASE.instance}`)).body;

describe('a database in Cloud SQL', () => {
  test('property 6, 8, 15: Postgres 15 with backups, in the region, and found as declared', async () => {
    const emulator = await emulated();
    const { cloud, http } = await driverAt(emulator, { database: DATABASE });
    const desired = desiredFor(config());
    await setUp(cloud, desired);
    expect(await instanceOf(emulator)).toMatchObject({
      databaseVersion: 'POSTGRES_15',
      region: 'europe-west1',
      settings: {
        tier: 'db-custom-1-3840',
        edition: 'ENTERPRISE',
        backupConfiguration: {
          enabled: true,
          startTime: '03:00',
          pointInTimeRecoveryEnabled: true,
          backupRetentionSettings: { retainedBackups: 30 },
        },
        maintenanceWindow: { day: 7, hour: 4 },
        deletionProtectionEnabled: true,
        databaseFlags: [{ name: 'max_connections', value: '100' }],
      },
    });
    const before = http.calls();
    expect(await setUp(cloud, desired)).toEqual([]);
    expect(http.calls() - before).toBeLessThan(40);
  });

  test('the password lives in its secret alone, with the address composed of it, and the extension is there', async () => {
    const emulator = await emulated();
    const { cloud } = await driverAt(emulator, { database: DATABASE });
    await setUp(cloud, desiredFor(config()));
    const password = await secretOf(emulator, DATABASE.passwordSecret);
    expect(password).toMatch(/^[0-9a-f]{48}$/);
    expect(await secretOf(emulator, DATABASE.urlSecret)).toBe(
      `postgresql://chat:${password}@localhost:5432/chat?host=/cloudsql/demo-project:europe-west1:chat-production-main`,
    );
    const [database] = await seen(cloud, 'sql-database');
    expect(database).toMatchObject({ name: 'chat-production-main/chat', attributes: { extensions: ['vector'] } });
    expect(JSON.stringify(await seen(cloud, 'sql-user', 'sql-database', 'secret'))).not.toContain(password);
  });

  test('a password that is there already is used, and one that was lost is made again', async () => {
    const emulator = await emulated({ on: ['secretmanager'] });
    const { cloud } = await driverAt(emulator, { database: DATABASE });
    const secret = desiredFor(config()).find(({ kind, name }) => kind === 'secret' && name === DATABASE.passwordSecret);
    if (secret === undefined) throw new Error('no secret');
    await cloud.create(secret, quiet, never());
    await cloud.setSecret(DATABASE.passwordSecret, 'chosen by somebody', never());
    await setUp(cloud, desiredFor(config()));
    expect(await secretOf(emulator, DATABASE.passwordSecret)).toBe('chosen by somebody');
    expect(await secretOf(emulator, DATABASE.urlSecret)).toContain('chat:chosen%20by%20somebody@localhost');
    await ask(emulator, 'DELETE', 'secretmanager', `/v1/projects/demo-project/secrets/${DATABASE.urlSecret}`);
    expect(await setUp(cloud, desiredFor(config()))).toEqual([
      'create secret/database-url',
      'update sql-user/chat-production-main/chat',
    ]);
    expect(await setUp(cloud, desiredFor(config()))).toEqual([]);
  });

  test('takes a new password when its secret gets one, and the address with it; at rest it refuses', async () => {
    const emulator = await emulated();
    const { cloud } = await driverAt(emulator, { database: DATABASE });
    await setUp(cloud, desiredFor(config()));
    const refusal = async (): Promise<unknown> => {
      const body = {
        database: DATABASE.name,
        user: DATABASE.user,
        passwordSecretVersion: `projects/demo-project/secrets/${DATABASE.passwordSecret}/versions/latest`,
        sqlStatement: 'select 1',
      };
      const path = `/v1/projects/demo-project/instances/${DATABASE.instance}/executeSql`;
      const reply = await ask(emulator, 'POST', 'sqladmin', path, { body });
      return reply.status === 200 ? (reply.body.status?.message ?? null) : reply.status;
    };
    expect(await cloud.setSecret(DATABASE.passwordSecret, 'the next one', never())).toBe('database');
    expect(await refusal()).toBeNull();
    expect(await secretOf(emulator, DATABASE.urlSecret)).toContain('chat:the%20next%20one@localhost');
    const [instance] = await seen(cloud, 'sql-instance');
    if (instance === undefined) throw new Error('no instance');
    await cloud.setRunning(instance, false, quiet, never());
    const refused = cloud.setSecret(DATABASE.passwordSecret, 'one more', never());
    await expect(refused).rejects.toMatchObject({ code: 'cloud-not-running', exit: 1 });
    expect(await secretOf(emulator, DATABASE.passwordSecret)).toBe('the next one');
  });

  test('stops, starts, changes in place, and goes with its protection when that was confirmed', async () => {
    const emulator = await emulated();
    const { cloud } = await driverAt(emulator, { database: DATABASE });
    await setUp(cloud, desiredFor(config()));
    const only = async () => {
      const [instance] = await seen(cloud, 'sql-instance');
      if (instance === undefined) throw new Error('no instance');
      return instance;
    };
    await cloud.setRunning(await only(), false, quiet, never());
    expect(await only()).toMatchObject({ state: 'stopped' });
    await cloud.setRunning(await only(), true, quiet, never());
    expect(await only()).toMatchObject({ state: 'ready' });
    const larger = { ...DATABASE, tier: 'db-custom-2-7680', highAvailability: true };
    expect(await setUp(cloud, desiredFor(config(larger)))).toEqual(['update sql-instance/chat-production-main']);
    expect(await only()).toMatchObject({ attributes: { tier: 'db-custom-2-7680', availability: 'REGIONAL' } });
    await cloud.remove(await only(), quiet, never());
    expect(await seen(cloud, 'sql-instance', 'sql-user', 'sql-database')).toEqual([]);
    await cloud.remove((await seen(cloud, 'repository'))[0]!, quiet, never());
  });

  const faults: PlannedFault[] = [
    { method: 'sql.*', nth: 3, times: 0, do: 'cut', when: 'after' },
    { method: 'sql.users.insert', do: 'cut', when: 'after' },
    { method: 'sql.instances.executeSql', do: 'fail', status: 'PERMISSION_DENIED' },
    { method: 'secretmanager.projects.secrets.addVersion', do: 'cut', when: 'after' },
  ];
  test.each(faults)('goes on after $method went wrong ($do), to the same end', async (fault) => {
    const emulator = await emulated();
    emulator.world.faults.plan(fault);
    const { cloud: first } = await driverAt(emulator, { database: DATABASE });
    await setUp(first, desiredFor(config())).catch(() => null);
    emulator.world.faults.clear();
    const { cloud } = await driverAt(emulator, { database: DATABASE });
    await setUp(cloud, desiredFor(config()));
    expect(await setUp(cloud, desiredFor(config()))).toEqual([]);
    const password = await secretOf(emulator, DATABASE.passwordSecret);
    expect(await secretOf(emulator, DATABASE.urlSecret)).toContain(password);
  });

  test('one that an interrupted run has begun is waited for by the next', async () => {
    const emulator = await emulated({ speed: 150 });
    const { cloud } = await driverAt(emulator, { database: DATABASE });
    const desired = desiredFor(config());
    await setUp(
      cloud,
      desired.filter(({ kind }) => kind === 'api'),
    );
    const instance = desired.find(({ kind }) => kind === 'sql-instance');
    if (instance === undefined) throw new Error('no instance is asked for');
    const interrupt = new AbortController();
    const first = cloud.create(instance, quiet, interrupt.signal).catch((error: unknown) => error);
    await waitFor(async () => (await instanceOf(emulator)).state === 'PENDING_CREATE', { what: 'the begun instance' });
    interrupt.abort();
    expect(await first).toMatchObject({ code: 'cloud-interrupted' });
    expect((await instanceOf(emulator)).state).toBe('PENDING_CREATE');
    await setUp(cloud, desired);
    expect(await setUp(cloud, desired)).toEqual([]);
  });

  test('an instance that never came up is said to be so, and made anew', async () => {
    const emulator = await emulated();
    emulator.world.faults.plan({ method: 'sql.instances.insert', do: 'fail-operation', status: 'INTERNAL' });
    const { cloud } = await driverAt(emulator, { database: DATABASE });
    const first: unknown = await setUp(cloud, desiredFor(config())).catch((error: unknown) => error);
    expect((first as AggregateError).errors[0]).toMatchObject({ code: 'cloud-operation-failed', exit: 2 });
    expect(await seen(cloud, 'sql-instance')).toMatchObject([{ state: 'failed' }]);
    expect(await setUp(cloud, desiredFor(config()))).toContain(`replace sql-instance/${DATABASE.instance}`);
    expect(await seen(cloud, 'sql-instance')).toMatchObject([{ state: 'ready' }]);
    expect(await setUp(cloud, desiredFor(config()))).toEqual([]);
  });

  test('two at once end with one password that holds', async () => {
    const emulator = await emulated();
    const drivers = await Promise.all([1, 2].map(() => driverAt(emulator, { database: DATABASE })));
    await Promise.allSettled(drivers.map(({ cloud }) => setUp(cloud, desiredFor(config()))));
    const { cloud } = await driverAt(emulator, { database: DATABASE });
    await setUp(cloud, desiredFor(config()));
    expect(await setUp(cloud, desiredFor(config()))).toEqual([]);
    const password = await secretOf(emulator, DATABASE.passwordSecret);
    expect(await secretOf(emulator, DATABASE.urlSecret)).toContain(password);
  });
});
