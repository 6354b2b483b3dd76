import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { peopleOf, signIn, type Somebody } from '../support/api/people.ts';
import { openWebWorld, type Visitor, type WebWorld } from '../support/web-world.ts';

const PEOPLE = 'organizations/default/people';
const forbidden = { status: 403, code: 'forbidden' };

let it: WebWorld;
let world: ReturnType<typeof peopleOf>;
let ann: Somebody;

beforeEach(async () => {
  it = await openWebWorld();
  world = peopleOf(it);
  ann = await world.somebody('ann', ['admin']);
});
afterEach(() => it.close());

const tokenOf = async (who: Visitor, permissions: string[] | null): Promise<Visitor> => {
  const { body } = await who.ask('POST', 'tokens', { name: `t${Math.random()}`, permissions });
  return it.withToken((body as { text: string }).text);
};

const pathIn = (body: object): string => (body as { link: { path: string } }).link.path;

describe('a link of the server', () => {
  test('lets whoever runs it in as nobody who may more', async () => {
    const root = await world.somebody('root', [], { runsServer: true });
    await world.somebody('ben', []);
    expect(await root.ask('POST', 'sign-in-links', { login: 'ann' })).toMatchObject(forbidden);
    expect(await root.ask('POST', 'sign-in-links', { login: 'ben' })).toMatchObject(forbidden);
    const both = await world.somebody('both', ['admin'], { runsServer: true });
    expect(await both.ask('POST', 'sign-in-links', { login: 'ann' })).toMatchObject({ status: 200 });
    // The session of somebody who went for a coffee is no way to choose their password.
    expect(await both.ask('POST', 'sign-in-links', {})).toMatchObject(forbidden);
  });

  test('makes no token a session of its owner', async () => {
    const root = await world.somebody('root', ['admin'], { runsServer: true });
    const narrow = await tokenOf(root, ['organizations:manage']);
    for (const body of [{}, { login: 'root' }, { login: 'ann' }])
      expect(await narrow.ask('POST', 'sign-in-links', body)).toMatchObject(forbidden);
  });
});

test('a token that is made for a part of the server makes nobody run all of it', async () => {
  const root = await world.somebody('root', ['admin'], { runsServer: true });
  const narrow = await tokenOf(root, ['organizations:manage']);
  const body = { runsServer: true };
  expect(await narrow.ask('PUT', `users/${ann.id}/runs-server`, body)).toMatchObject(forbidden);
  expect(await root.ask('PUT', `users/${ann.id}/runs-server`, body)).toMatchObject({ status: 200 });
});

test('nobody comes in beforehand as a member of another organization who has nothing there yet', async () => {
  const acme = await world.organization('Acme');
  const ben = await world.somebody('ben', [], { of: acme });
  await ann.ask('POST', PEOPLE, { login: 'ben' });
  expect(await ann.ask('POST', `${PEOPLE}/${ben.id}/link`, {})).toMatchObject(forbidden);
  expect(await ann.ask('POST', `${PEOPLE}/${ben.id}/second-factor-removal`, {})).toMatchObject(forbidden);
});

describe('a link that somebody weaker has made', () => {
  let manager: Somebody;
  let ben: { id: string; path: string };
  beforeEach(async () => {
    await ann.ask('PUT', 'organizations/default/roles/manager', { permissions: ['people:read', 'people:write'] });
    manager = await world.somebody('manager', ['manager']);
    const { body } = await manager.ask('POST', PEOPLE, { login: 'ben', grants: [{ role: 'manager' }] });
    ben = { id: (body as { user: { id: string } }).user.id, path: pathIn(body) };
  });

  test('is a way in as long as there is nothing more to it', async () => {
    await manager.ask('POST', `${PEOPLE}/${ben.id}/grants`, { role: 'manager', environment: 'staging' });
    expect(await signIn(it.browser(), ben.path)).toBe('signed-in');
  });

  test('ends when they are granted more by somebody else', async () => {
    expect((await ann.ask('POST', `${PEOPLE}/${ben.id}/grants`, { role: 'admin' })).status).toBe(200);
    expect(await signIn(it.browser(), ben.path)).toBeNull();
  });

  test('ends when another organization takes them in, or they run the server', async () => {
    const acme = await world.organization('Acme');
    await world.local('POST', `organizations/${acme}/people`, { login: 'ben', grants: [{ role: 'admin' }] });
    expect(await signIn(it.browser(), ben.path)).toBeNull();
    const { body } = await manager.ask('POST', PEOPLE, { login: 'eve' });
    const eve = (body as { user: { id: string } }).user.id;
    await world.local('PUT', `users/${eve}/runs-server`, { runsServer: true });
    expect(await signIn(it.browser(), pathIn(body))).toBeNull();
  });
});
