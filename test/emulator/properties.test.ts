import * as fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { ask, emulated, endEmulators } from './emulated.ts';

afterEach(endEmulators);

const RUNS = 25;

test('secrets behave as their simplest model, whatever is done in whichever order', async () => {
  const emulator = await emulated({ on: ['secretmanager'] });
  const name = fc.constantFrom('a', 'b', 'c');
  const act = fc.oneof(
    fc.record({ do: fc.constant('create' as const), name }),
    fc.record({ do: fc.constant('delete' as const), name }),
    fc.record({
      do: fc.constant('add' as const),
      name,
      value: fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme' }),
    }),
    fc.record({ do: fc.constant('access' as const), name }),
  );
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(act, { maxLength: 15 }), async (acts) => {
      const project = `demo-project-${String(run++)}`;
      emulator.world.projects.setOn(emulator.world.projects.find(project), 'secretmanager.googleapis.com', true);
      const root = `/v1/projects/${project}/secrets`;
      const model = new Map<string, string[]>();
      const say = (method: string, path: string, body?: object) =>
        ask(emulator, method, 'secretmanager', path, body === undefined ? {} : { body });
      for (const one of acts) {
        const values = model.get(one.name);
        if (one.do === 'create') {
          const { status } = await say('POST', `${root}?secretId=${one.name}`, { replication: { automatic: {} } });
          expect(status).toBe(values === undefined ? 200 : 409);
          if (values === undefined) model.set(one.name, []);
        } else if (one.do === 'delete') {
          expect((await say('DELETE', `${root}/${one.name}`)).status).toBe(values === undefined ? 404 : 200);
          model.delete(one.name);
        } else if (one.do === 'add') {
          const data = Buffer.from(one.value).toString('base64');
          const { status } = await say('POST', `${root}/${one.name}:addVersion`, { payload: { data } });
          expect(status).toBe(values === undefined ? 404 : 200);
          values?.push(one.value);
        } else {
          const { status, body } = await say('GET', `${root}/${one.name}/versions/latest:access`);
          const newest = values?.at(-1);
          expect(status).toBe(newest === undefined ? 404 : 200);
          if (newest !== undefined) expect(Buffer.from(body.payload.data, 'base64').toString()).toBe(newest);
        }
      }
      const { body } = await say('GET', root);
      expect((body.secrets ?? []).map((one: { name: string }) => one.name.split('/').at(-1))).toEqual(
        [...model.keys()].toSorted(),
      );
    }),
    { numRuns: RUNS },
  );
});

test('of writers who read, change and write a policy at once none loses another’s change', async () => {
  const emulator = await emulated();
  let run = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'), { minLength: 2 }),
      async (people) => {
        const project = `/v1/projects/policy-project-${String(run++)}`;
        const say = (verb: string, body: object) =>
          ask(emulator, 'POST', 'cloudresourcemanager', `${project}:${verb}`, { body });
        await Promise.all(
          people.map(async (person) => {
            for (;;) {
              const { body: policy } = await say('getIamPolicy', {});
              const bindings = [...policy.bindings, { role: 'roles/viewer', members: [`user:${person}@example.com`] }];
              const { status } = await say('setIamPolicy', { policy: { ...policy, bindings } });
              if (status === 200) return;
              expect(status).toBe(409);
            }
          }),
        );
        const { body } = await say('getIamPolicy', {});
        const viewers = body.bindings.find(({ role }: { role: string }) => role === 'roles/viewer').members;
        expect(viewers.toSorted()).toEqual(people.map((person) => `user:${person}@example.com`).toSorted());
      },
    ),
    { numRuns: RUNS },
  );
});

test('walking the pages of any size gives every object once, in order', async () => {
  const emulator = await emulated();
  await ask(emulator, 'POST', 'storage', '/storage/v1/b?project=demo-project', { body: { name: 'paged-files' } });
  const names = ['a', 'a/b', 'a/c', 'b', 'ä', 'z', '0', '~', 'A', 'a b', 'a%2Fb'].toSorted();
  for (const name of names)
    await ask(
      emulator,
      'POST',
      'storage',
      `/upload/storage/v1/b/paged-files/o?uploadType=media&name=${encodeURIComponent(name)}`,
      {
        body: Buffer.from(name),
      },
    );
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 12 }), async (size) => {
      const seen: string[] = [];
      let token = '';
      do {
        const query = new URLSearchParams({ maxResults: String(size), ...(token === '' ? {} : { pageToken: token }) });
        const { body } = await ask(emulator, 'GET', 'storage', `/storage/v1/b/paged-files/o?${query.toString()}`);
        seen.push(...(body.items ?? []).map(({ name }: { name: string }) => name));
        token = body.nextPageToken ?? '';
      } while (token !== '');
      expect(seen).toEqual(names);
    }),
    { numRuns: 12 },
  );
});
