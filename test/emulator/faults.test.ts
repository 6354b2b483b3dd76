import { afterEach, describe, expect, test } from 'vitest';
import { ask, emulated, endEmulators } from './emulated.ts';
import type { Emulator } from '../../src/emulator/emulator.ts';

afterEach(endEmulators);

const SECRETS = '/v1/projects/demo-project/secrets';
const create = (emulator: Emulator, name: string) =>
  ask(emulator, 'POST', 'secretmanager', `${SECRETS}?secretId=${name}`, { body: { replication: { automatic: {} } } });
const METHOD = 'secretmanager.projects.secrets.create';

describe('planned faults', () => {
  test('a connection that is cut before the call acts leaves nothing behind, one cut after it does', async () => {
    const emulator = await emulated({ on: ['secretmanager'] });
    emulator.world.faults.plan({ method: METHOD, do: 'cut', when: 'before' });
    emulator.world.faults.plan({ method: METHOD, nth: 2, do: 'cut', when: 'after' });
    await expect(create(emulator, 'before')).rejects.toThrow(/hang up|reset/);
    await expect(create(emulator, 'after')).rejects.toThrow(/hang up|reset/);
    const { body } = await ask(emulator, 'GET', 'secretmanager', SECRETS);
    expect(body.secrets.map(({ name }: { name: string }) => name.split('/').at(-1))).toEqual(['after']);
  });

  test('a call that hangs is answered never, others are', async () => {
    const emulator = await emulated({ on: ['secretmanager'] });
    emulator.world.faults.plan({ method: METHOD, do: 'hang' });
    const hanging = create(emulator, 'a').catch((error: unknown) => error);
    await expect.poll(() => emulator.world.calls.list().some(({ method }) => method === METHOD)).toBe(true);
    expect((await create(emulator, 'b')).status).toBe(200);
    expect(emulator.world.calls.list().find(({ method }) => method === METHOD)?.status).toBe(0);
    await endEmulators();
    expect(await hanging).toBeInstanceOf(Error);
  });

  test('a quota is used up after some calls and stays so, and is told as each family of APIs does', async () => {
    const emulator = await emulated({ on: ['secretmanager'] });
    emulator.world.faults.plan({ method: METHOD, nth: 3, times: 0, do: 'quota' });
    const statuses = [];
    for (const name of ['a', 'b', 'c', 'd']) statuses.push((await create(emulator, name)).status);
    expect(statuses).toEqual([200, 200, 429, 429]);
    emulator.world.faults.plan({ method: 'storage.*', do: 'quota' });
    const storage = await ask(emulator, 'GET', 'storage', '/storage/v1/b?project=demo-project');
    expect(storage).toMatchObject({ status: 403, body: { error: { errors: [{ reason: 'quotaExceeded' }] } } });
  });

  test('a permission that is missing is named', async () => {
    const emulator = await emulated({ on: ['secretmanager'] });
    emulator.world.faults.plan({ method: METHOD, do: 'deny', permission: 'secretmanager.secrets.create' });
    const { status, body } = await create(emulator, 'a');
    expect([status, body.error.status]).toEqual([403, 'PERMISSION_DENIED']);
    expect(body.error.details[0]).toMatchObject({
      reason: 'IAM_PERMISSION_DENIED',
      metadata: { permission: 'secretmanager.secrets.create' },
    });
  });

  test('an operation ends with the error that was planned, and nothing is on', async () => {
    const emulator = await emulated();
    emulator.world.faults.plan({
      method: 'serviceusage.services.enable',
      do: 'fail-operation',
      status: 'RESOURCE_EXHAUSTED',
    });
    const path = '/v1/projects/demo-project/services/run.googleapis.com';
    const begun = await ask(emulator, 'POST', 'serviceusage', `${path}:enable`, { body: {} });
    const ended = await ask(emulator, 'GET', 'serviceusage', `/v1/${String(begun.body.name)}`);
    expect(ended.body).toMatchObject({ done: true, error: { code: 8 } });
    expect((await ask(emulator, 'GET', 'serviceusage', path)).body.state).toBe('DISABLED');
  });

  test('what is no fault is refused, and the endpoint wants the token', async () => {
    const emulator = await emulated();
    expect((await ask(emulator, 'POST', null, '/_emulator/faults', { body: { do: 'explode' } })).status).toBe(400);
    expect((await ask(emulator, 'GET', null, '/_emulator/calls', { token: null })).status).toBe(401);
    expect((await ask(emulator, 'GET', 'run', '/nonsense')).status).toBe(404);
  });
});

test('a reply of the emulator that breaks its schema is an error that says so', async () => {
  const emulator = await emulated({
    on: ['secretmanager'],
    apis: [
      {
        document: 'secretmanager.v1',
        handlers: { 'secretmanager.projects.secrets.list': () => ({ secrets: [{ nme: 'x' }], totalSize: 'many' }) },
      },
    ],
  });
  const { status, body } = await ask(emulator, 'GET', 'secretmanager', SECRETS);
  expect(status).toBe(500);
  expect(body.error.message).toMatch(/secrets\[0\]\.nme.*totalSize/);
  await expect(endEmulators()).rejects.toThrow(/to deeply equal \[\]/);
});
