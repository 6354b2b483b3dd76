import * as fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { ask, emulated, endEmulators } from '../emulator/emulated.ts';
import { driverAt, never, quiet, seen, wanted } from '../support/google.ts';

afterEach(endEmulators);

describe('APIs, secrets and roles of a project', () => {
  test('property 1: enabling APIs any number of times, in any order and at once, leaves them on, without error', async () => {
    const names = ['run', 'sqladmin', 'storage-api', 'secretmanager'].map((api) => `${api}.googleapis.com`);
    const rounds = fc.array(fc.array(fc.constantFrom(...names), { minLength: 1, maxLength: 5 }), {
      minLength: 1,
      maxLength: 3,
    });
    await fc.assert(
      fc.asyncProperty(rounds, async (history) => {
        const emulator = await emulated();
        const { cloud } = await driverAt(emulator);
        const before = (await seen(cloud, 'api')).map(({ name }) => name);
        const asked = new Set<string>();
        for (const together of history) {
          await Promise.all(together.map((name) => cloud.create(wanted('api', name, {}), quiet, never())));
          for (const name of together) asked.add(name);
          const on = (await seen(cloud, 'api')).map(({ name }) => name);
          expect(on.toSorted()).toEqual([...new Set([...before, ...asked])].toSorted());
        }
        await endEmulators();
      }),
      { numRuns: 6 },
    );
  });

  test('property 5: a declared secret exists without a value, and gets the one that is set', async () => {
    const emulator = await emulated({ on: ['secretmanager'] });
    const { cloud } = await driverAt(emulator);
    const jwt = wanted('secret', 'jwt-secret', { replication: 'automatic' });
    await Promise.all([cloud.create(jwt, quiet, never()), cloud.create(jwt, quiet, never())]);
    expect(await seen(cloud, 'secret')).toMatchObject([{ name: 'jwt-secret', hasValue: false }]);
    await cloud.setSecret('jwt-secret', 's3cret', never());
    expect(await seen(cloud, 'secret')).toMatchObject([{ name: 'jwt-secret', hasValue: true }]);
    await cloud.create(jwt, quiet, never());
    const versions = await ask(
      emulator,
      'GET',
      'secretmanager',
      '/v1/projects/demo-project/secrets/jwt-secret/versions',
    );
    expect(versions.body.versions).toHaveLength(1);
    await expect(cloud.setSecret('unheard', 'value-of-it', never())).rejects.toMatchObject({
      code: 'cloud-secret-missing',
    });
  });

  test('property 5: whatever is declared and set in whichever order, no value is there that nobody gave', async () => {
    const ids = ['jwt-secret', 'refresh-secret', 'database-password'] as const;
    const act = fc.record({ id: fc.constantFrom(...ids), set: fc.boolean(), at: fc.integer({ min: 1, max: 3 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 8 }), async (history) => {
        const emulator = await emulated({ on: ['secretmanager'] });
        const { cloud } = await driverAt(emulator);
        const values = new Map<string, number>();
        for (const { id, set, at } of history) {
          if (!set) {
            const secret = wanted('secret', id, { replication: 'automatic' });
            await Promise.all(Array.from({ length: at }, () => cloud.create(secret, quiet, never())));
            values.set(id, values.get(id) ?? 0);
          } else if (values.has(id)) {
            await cloud.setSecret(id, `value ${at}`, never());
            values.set(id, (values.get(id) ?? 0) + 1);
          } else {
            const refused = cloud.setSecret(id, `value ${at}`, never());
            await expect(refused).rejects.toMatchObject({ code: 'cloud-secret-missing' });
          }
        }
        const there = (await seen(cloud, 'secret')).map(({ name, hasValue }) => `${name} ${hasValue}`);
        expect(there.toSorted()).toEqual([...values].map(([id, count]) => `${id} ${count > 0}`).toSorted());
        for (const [id, count] of values) {
          const path = `/v1/projects/demo-project/secrets/${id}/versions`;
          const { body } = await ask(emulator, 'GET', 'secretmanager', path);
          expect(body.versions ?? []).toHaveLength(count);
        }
        await endEmulators();
      }),
      { numRuns: 6 },
    );
  });

  test('a kind whose API is off has none, and says so', async () => {
    const emulator = await emulated();
    const { cloud } = await driverAt(emulator);
    for await (const look of cloud.look(['secret'], { deadlineMs: 5_000, signal: never() }))
      expect(look).toMatchObject({ kind: 'secret', resources: [], off: expect.stringContaining('secretmanager') });
  });

  test('greets with the number of the project, and refuses a wrong token without saying it', async () => {
    const emulator = await emulated();
    const { cloud } = await driverAt(emulator);
    expect(await cloud.greet(never())).toMatchObject({ projectNumber: expect.stringMatching(/^\d{12}$/) });
    const { cloud: stranger } = await driverAt(emulator, { token: 'wrong-token-7' });
    const error: unknown = await stranger.greet(never()).catch((cause: unknown) => cause);
    const next = expect.stringContaining('EVENKEEL_CLOUD_TOKEN') as unknown;
    expect(error).toMatchObject({ code: 'cloud-credentials', exit: 1, next });
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('wrong-token-7');
  });

  test('an edit that is asked for as soon as another has ended is heard', async () => {
    const emulator = await emulated();
    const { google } = (await driverAt(emulator)).cloud;
    const edits: string[] = [];
    const edit = (name: string): Promise<void> =>
      google.policy.edit(() => {
        edits.push(name);
        return false;
      }, never());
    await edit('one').then(() => edit('two'));
    expect(edits).toEqual(['one', 'two']);
  });

  test('a budget is that of the environment of its whole name, and of none that begins alike', async () => {
    const emulator = await emulated({ on: ['billingbudgets', 'cloudbilling'] });
    const { cloud } = await driverAt(emulator);
    const amount = { amount: 100, currency: 'USD', thresholds: [0.5, 1] };
    await cloud.create(wanted('budget', 'chat-production', amount), quiet, never());
    expect(await seen(cloud, 'budget')).toMatchObject([{ labels: { 'evenkeel-environment': 'production' } }]);
    const { cloud: prod } = await driverAt(emulator, { scope: { environment: 'prod' } });
    expect(await seen(prod, 'budget')).toMatchObject([{ name: 'chat-production', labels: {} }]);
  });

  test('a bucket of another project that is open to all is not taken for ours', async () => {
    const emulator = await emulated();
    const made = await ask(emulator, 'POST', 'storage', '/storage/v1/b?project=stranger', {
      body: { name: 'chat-production-uploads', location: 'europe-west1' },
    });
    expect(made.status).toBe(200);
    const { cloud } = await driverAt(emulator);
    const attributes = {
      storageClass: 'STANDARD',
      uniformAccess: true,
      public: false,
      versioning: false,
      expire: null,
    };
    const create = cloud.create(wanted('bucket', 'chat-production-uploads', attributes), quiet, never());
    await expect(create).rejects.toMatchObject({ code: 'cloud-name-taken', exit: 2 });
  });
});
