import { afterEach, beforeEach, expect, test } from 'vitest';
import { storeAway } from '../../src/engine/emergency/away-store.ts';
import { openWebWorld, type Visitor, type WebWorld } from '../support/web-world.ts';

const PROVIDER = { id: 'company', name: 'Example Ltd', issuer: 'https://id.example.com' };
const account = (subject: string) => `accounts?${new URLSearchParams({ issuer: PROVIDER.issuer, subject }).toString()}`;

let it: WebWorld;

beforeEach(async () => {
  it = await openWebWorld({ providers: [PROVIDER] });
});
afterEach(() => it.close());

const signedIn = async (): Promise<Visitor> => {
  const visitor = it.browser();
  await visitor.ask('POST', 'session/link', { link: await it.link() });
  return visitor;
};

const link = async (subject: string, issuer = PROVIDER.issuer): Promise<void> => {
  const { store } = await it.deps.access();
  const [user] = await store.users();
  await store.linkIdentity({ issuer, subject, user: user?.id ?? '', linkedAt: 7 });
};

test('one sees the accounts that one has linked, and where one could link one', async () => {
  const visitor = await signedIn();
  await link('bob');
  await link('old', 'https://former.example.com');
  expect((await visitor.ask('GET', 'accounts')).body).toEqual({
    providers: [{ id: 'company', name: 'Example Ltd' }],
    accounts: expect.arrayContaining([
      {
        issuer: PROVIDER.issuer,
        subject: 'bob',
        linkedAt: 7,
        provider: { id: 'company', name: 'Example Ltd' },
      },
      { issuer: 'https://former.example.com', subject: 'old', linkedAt: 7, provider: null },
    ]),
  });
  expect((await it.browser().ask('GET', 'accounts')).code).toBe('unauthorized');
});

test('an account that is unlinked opens nothing more, and whoever it let in is out', async () => {
  const [here, there] = [await signedIn(), await signedIn()];
  await link('bob');
  await link('bob2');
  expect((await here.ask('DELETE', account('nobody'))).status).toBe(404);
  expect((await here.ask('DELETE', account('bob'))).body).toEqual({ ended: 1 });
  expect((await there.ask('GET', 'status')).code).toBe('unauthorized');
  const { store } = await it.deps.access();
  expect(await store.userOfIdentity(PROVIDER.issuer, 'bob')).toBeNull();
  const { acts } = (await it.client.json({ method: 'GET', path: '/api/v1/audit' })) as { acts: unknown[] };
  expect(acts).toContainEqual(
    expect.objectContaining({
      operation: 'unlinkAccount',
      result: 'done',
      input: { issuer: PROVIDER.issuer, subject: 'bob' },
    }),
  );
});

test('nor is whoever it let in known while the store is away', async () => {
  const [here, there] = [await signedIn(), await signedIn()];
  await link('bob');
  await link('bob2');
  for (const each of [here, there]) expect((await each.ask('GET', 'rollouts')).status).toBe(200);
  expect((await here.ask('DELETE', account('bob'))).body).toEqual({ ended: 1 });
  const { store } = await it.deps.access();
  const away = async (): Promise<never> => {
    throw storeAway();
  };
  Object.assign(store, { session: away, projects: away });
  expect((await there.ask('GET', 'rollouts')).status).toBe(503);
});

test('nobody takes away their only way in', async () => {
  const visitor = await signedIn();
  await link('bob');
  expect((await visitor.ask('DELETE', account('bob'))).code).toBe('last-way-in');
  await visitor.ask('PUT', 'session/password', { password: 'correct horse battery' });
  expect((await visitor.ask('DELETE', account('bob'))).status).toBe(200);
});
