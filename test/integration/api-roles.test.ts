import { afterEach, beforeEach, expect, test } from 'vitest';
import type { RoleView } from '../../src/api/contract/roles.ts';
import { peopleOf, type Somebody } from '../support/api/people.ts';
import { openWebWorld, type Visitor, type WebWorld } from '../support/web-world.ts';

const ROLES = 'organizations/default/roles';
const PEOPLE = 'organizations/default/people';

let it: WebWorld;
let world: ReturnType<typeof peopleOf>;
let ann: Somebody;

beforeEach(async () => {
  it = await openWebWorld();
  world = peopleOf(it);
  ann = await world.somebody('ann', ['admin']);
});
afterEach(() => it.close());

const forbidden = { status: 403, code: 'forbidden' };
const roles = async (who: Visitor = ann): Promise<RoleView[]> =>
  ((await who.ask('GET', ROLES)).body as { roles: RoleView[] }).roles;
const shape = (who: Visitor, name: string, permissions: readonly string[]) =>
  who.ask('PUT', `${ROLES}/${name}`, { permissions });

test('the built-in ones are there, and all permissions with what they are about', async () => {
  const { body } = await ann.ask('GET', ROLES);
  expect(body).toMatchObject({
    roles: [
      { name: 'viewer', builtIn: true, mayChange: false },
      { name: 'operator' },
      { name: 'approver' },
      { name: 'admin' },
    ],
    permissions: expect.arrayContaining([
      { permission: 'environment:deploy', level: 'environment' },
      { permission: 'people:write', level: 'organization' },
      { permission: 'organizations:manage', level: 'server' },
    ]),
  });
});

test('one of the organization’s own is made, changed for all who have it, and removed when nobody does', async () => {
  const asked = ['rollout:steer', 'environment:read', 'rollout:steer', 'people:read'];
  expect((await shape(ann, 'steering', asked)).body).toMatchObject({
    role: { name: 'steering', builtIn: false, permissions: ['environment:read', 'people:read', 'rollout:steer'] },
  });
  const ben = await world.somebody('ben', ['steering']);
  expect((await ben.ask('GET', PEOPLE)).status).toBe(200);
  await shape(ann, 'steering', ['environment:read']);
  expect(await ben.ask('GET', PEOPLE)).toMatchObject(forbidden);
  expect(await ann.ask('DELETE', `${ROLES}/steering`)).toMatchObject({ status: 409, code: 'role-in-use' });
  await ann.ask('DELETE', `${PEOPLE}/${ben.id}`);
  expect((await ann.ask('DELETE', `${ROLES}/steering`)).status).toBe(200);
  expect(await ann.ask('DELETE', `${ROLES}/steering`)).toMatchObject({ status: 404, code: 'role-unknown' });
  expect(await roles()).toHaveLength(4);
});

test('none is shaped to hold more than whoever shapes it has in all of the organization, nor is one of the others taken apart', async () => {
  await shape(ann, 'shaper', ['roles:read', 'roles:write', 'people:read', 'people:write', 'environment:read']);
  await shape(ann, 'deploying', ['environment:deploy']);
  const eve = await world.somebody('eve', ['shaper', { role: 'operator', environment: 'staging' }]);
  for (const more of [['environment:deploy'], ['tokens:manage'], ['roles:write', 'audit:read']])
    expect([more, await shape(eve, 'mine', more)]).toMatchObject([more, forbidden]);
  expect(await shape(eve, 'shaper', ['roles:read', 'organization:write'])).toMatchObject(forbidden);
  // Nor what somebody else can do and Eve cannot.
  expect(await shape(eve, 'deploying', ['environment:read'])).toMatchObject(forbidden);
  expect(await eve.ask('DELETE', `${ROLES}/deploying`)).toMatchObject(forbidden);
  expect((await roles(eve)).filter(({ mayChange }) => mayChange).map(({ name }) => name)).toEqual(['shaper']);
  expect((await shape(eve, 'looking', ['environment:read'])).status).toBe(200);
});

test('none is made of what no organization can give, under a name of a built-in one, or of nothing', async () => {
  for (const [name, permissions] of [
    ['root', ['organizations:manage']],
    ['admin', ['environment:read']],
    ['Odd Name', ['environment:read']],
    ['unknown', ['everything']],
    ['empty', []],
  ] as const)
    expect([name, await shape(ann, encodeURIComponent(name), permissions)]).toMatchObject([
      name,
      { status: 400, code: 'bad-request' },
    ]);
  expect(await shape(await world.somebody('ben', ['operator']), 'mine', ['environment:read'])).toMatchObject(forbidden);
});

test('the last admin does not lose it by the role being changed', async () => {
  const { permissions } = (await roles()).find(({ name }) => name === 'admin') ?? { permissions: [] };
  await shape(ann, 'all', permissions);
  await ann.ask('POST', `${PEOPLE}/${ann.id}/grants`, { role: 'all' });
  const [member] = ((await ann.ask('GET', PEOPLE)).body as { people: { grants: { id: string; role: string }[] }[] })
    .people;
  const admin = member?.grants.find(({ role }) => role === 'admin');
  expect((await ann.ask('DELETE', `${PEOPLE}/${ann.id}/grants/${admin?.id}`)).status).toBe(200);
  expect(await shape(ann, 'all', ['roles:read'])).toMatchObject({ status: 409, code: 'last-admin' });
  expect((await ann.ask('GET', PEOPLE)).status).toBe(200);
});
