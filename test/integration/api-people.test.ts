import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { LinkView, MemberView } from '../../src/api/contract/people.ts';
import { totpCode } from '../../src/platform/totp.ts';
import { peopleOf, signIn, type Somebody } from '../support/api/people.ts';
import { clockAhead } from '../support/api-world.ts';
import { openWebWorld, type Visitor, type WebWorld } from '../support/web-world.ts';

const DAY = 86_400_000;
const PEOPLE = 'organizations/default/people';

let it: WebWorld;
let world: ReturnType<typeof peopleOf>;
let ann: Somebody;

beforeEach(async () => {
  it = await openWebWorld();
  world = peopleOf(it);
  ann = await world.somebody('ann', ['admin']);
});
afterEach(async () => {
  clockAhead.ahead = 0;
  await it.close();
});

const members = async (who: Visitor = ann): Promise<MemberView[]> =>
  ((await who.ask('GET', PEOPLE)).body as { people: MemberView[] }).people;
const memberOf = async (login: string, who?: Visitor): Promise<MemberView> => {
  const found = (await members(who)).find(({ user }) => user.login === login);
  if (found === undefined) throw new Error(`${login} is no member`);
  return found;
};
const forbidden = { status: 403, code: 'forbidden' };

describe('somebody who is invited', () => {
  test('comes in by a link that is shown once and works once, and may what they were granted', async () => {
    const grants = [{ role: 'operator', environment: 'staging' }];
    const { body, status } = await ann.ask('POST', PEOPLE, { login: ' Ben@Example.com ', name: 'Ben', grants });
    expect(status).toBe(200);
    const { user, link } = body as { user: { id: string }; link: LinkView };
    expect(user).toMatchObject({ login: 'ben@example.com', name: 'Ben', hasPassword: false, signedInAt: null });
    const ben = it.browser();
    expect(await signIn(ben, link.path)).toBe('signed-in');
    expect(await signIn(it.browser(), link.path)).toBeNull();
    expect((await memberOf('ben@example.com')).grants).toMatchObject([
      { role: 'operator', project: '*', environment: 'staging', grantedBy: 'ann' },
    ]);
    expect(await ben.ask('POST', PEOPLE, { login: 'eve' })).toMatchObject(forbidden);
  });

  test('finds the link worth nothing when it is too old', async () => {
    const { body } = await ann.ask('POST', PEOPLE, { login: 'ben' });
    clockAhead.ahead = 3 * DAY;
    expect(await signIn(it.browser(), (body as { link: LinkView }).link.path)).toBeNull();
  });

  test('and has not come yet gets another link by being invited again, from who may all that they may', async () => {
    const invited = async (by: Visitor): Promise<LinkView | null> =>
      ((await by.ask('POST', PEOPLE, { login: 'ben' })).body as { link: LinkView | null }).link;
    const [first, second] = [await invited(ann), await invited(ann)];
    expect(await signIn(it.browser(), first?.path ?? '')).toBeNull();
    const acme = await world.organization('Acme');
    await world.local('POST', `organizations/${acme}/people`, { login: 'ben', grants: [{ role: 'admin' }] });
    expect(await signIn(it.browser(), second?.path ?? '')).toBeNull();
    // Ann may nothing there, so from now on she gives Ben no way in.
    expect(await invited(ann)).toBeNull();
  });

  test('and is there already becomes a member as they are, without a link', async () => {
    const acme = await world.organization('Acme');
    await world.somebody('ben', ['admin'], { of: acme });
    const { body } = await ann.ask('POST', PEOPLE, { login: 'ben', name: 'Mallory', grants: [{ role: 'viewer' }] });
    expect(body).toMatchObject({ user: { login: 'ben', name: 'ben' }, link: null });
    // Asked again it goes on where it ended.
    expect((await ann.ask('POST', PEOPLE, { login: 'ben', grants: [{ role: 'viewer' }] })).status).toBe(200);
    expect((await memberOf('ben')).grants).toHaveLength(1);
  });

  test('is nobody when one of the grants cannot be given', async () => {
    expect(await ann.ask('POST', PEOPLE, { login: 'ben', grants: [{ role: 'none' }] })).toMatchObject({ status: 404 });
    const asked = { login: 'ben', grants: [{ role: 'viewer' }, { role: 'viewer', project: 'Ünknown/..' }] };
    expect(await ann.ask('POST', PEOPLE, asked)).toMatchObject({ status: 400, code: 'bad-request' });
    for (const login of ['', 'two words', 'x'.repeat(201), 'a\u0000b'])
      expect((await ann.ask('POST', PEOPLE, { login })).code).toBe('bad-request');
    expect((await members()).map(({ user }) => user.login)).toEqual(['ann']);
  });
});

describe('nobody gives or takes what they do not have', () => {
  let manager: Somebody;
  beforeEach(async () => {
    const permissions = ['people:read', 'people:write', 'roles:read', 'environment:read'];
    await ann.ask('PUT', 'organizations/default/roles/manager', { permissions });
    manager = await world.somebody('manager', ['manager', { role: 'operator', environment: 'staging' }]);
  });

  test('a grant', async () => {
    const ben = await world.somebody('ben', []);
    const grant = (over: object) => manager.ask('POST', `${PEOPLE}/${ben.id}/grants`, over);
    for (const over of [
      { role: 'admin' },
      { role: 'approver', environment: 'staging' },
      { role: 'operator' },
      { role: 'operator', environment: 'production' },
      { role: 'operator', environment: 'stag*' },
    ])
      expect([over, await grant(over)]).toMatchObject([over, forbidden]);
    expect(await manager.ask('POST', PEOPLE, { login: 'eve', grants: [{ role: 'admin' }] })).toMatchObject(forbidden);
    expect(await manager.ask('POST', `${PEOPLE}/${manager.id}/grants`, { role: 'admin' })).toMatchObject(forbidden);
    expect((await grant({ role: 'operator', environment: 'staging', project: 'shop' })).status).toBe(200);
    expect((await grant({ role: 'manager' })).status).toBe(200);
    expect((await members()).map(({ user }) => user.login)).toEqual(['ann', 'ben', 'manager']);
  });

  test('somebody else’s grants, by one or with their membership', async () => {
    const { grants, mayRemove, mayHelp } = await memberOf('ann', manager);
    expect([grants.map((grant) => grant.mayRemove), mayRemove, mayHelp]).toEqual([[false], false, false]);
    const [grant] = grants;
    expect(await manager.ask('DELETE', `${PEOPLE}/${ann.id}/grants/${grant?.id}`)).toMatchObject(forbidden);
    expect(await manager.ask('DELETE', `${PEOPLE}/${ann.id}`)).toMatchObject(forbidden);
    const ben = await world.somebody('ben', [{ role: 'operator', environment: 'staging' }]);
    expect((await memberOf('ben', manager)).mayRemove).toBe(true);
    expect(await manager.ask('DELETE', `${PEOPLE}/${ben.id}`)).toMatchObject({ status: 200 });
  });

  test('a way in as somebody stronger: no link, and no second factor less', async () => {
    const ben = await world.somebody('ben', ['approver']);
    const weak = await world.somebody('weak', [{ role: 'operator', environment: 'staging' }]);
    const root = await world.somebody('root', [], { runsServer: true });
    for (const [whom, allowed] of [
      [ann, false],
      [ben, false],
      [root, false],
      [manager, false],
      [weak, true],
    ] as const)
      for (const what of ['link', 'second-factor-removal'])
        expect([whom.login, what, (await manager.ask('POST', `${PEOPLE}/${whom.id}/${what}`, {})).status]).toEqual([
          whom.login,
          what,
          allowed ? 200 : 403,
        ]);
    // An admin does not run the server, and by that does not become somebody who does.
    expect(await ann.ask('POST', `${PEOPLE}/${root.id}/link`, {})).toMatchObject(forbidden);
    expect((await memberOf('root')).mayHelp).toBe(false);
    expect((await memberOf('weak', manager)).mayHelp).toBe(true);
  });

  test('a way in as somebody who has something in another organization', async () => {
    const acme = await world.organization('Acme');
    const ben = await world.somebody('ben', ['viewer'], { of: acme });
    await ann.ask('POST', PEOPLE, { login: 'ben', grants: [{ role: 'viewer' }] });
    const refused = await ann.ask('POST', `${PEOPLE}/${ben.id}/link`, {});
    expect(refused).toMatchObject(forbidden);
    expect(JSON.stringify(refused.body)).not.toMatch(new RegExp(`${acme}|Acme|viewer`));
    // Nor is somebody reached by naming an organization that they are not in.
    const eve = await world.somebody('eve', ['viewer'], { of: acme });
    expect(await ann.ask('POST', `${PEOPLE}/${eve.id}/link`, {})).toMatchObject({ code: 'member-unknown' });
    expect(await ann.ask('POST', `organizations/${acme}/people/${eve.id}/link`, {})).toMatchObject({ status: 404 });
  });
});

describe('a link for a member', () => {
  test('lets them choose a new password, in the place of an earlier one, for an hour', async () => {
    const ben = await world.somebody('ben', ['operator']);
    const linkOf = async (): Promise<LinkView> =>
      ((await ann.ask('POST', `${PEOPLE}/${ben.id}/link`, {})).body as { link: LinkView }).link;
    const [first, second] = [await linkOf(), await linkOf()];
    expect(await signIn(it.browser(), first.path)).toBeNull();
    const there = it.browser();
    expect(await signIn(there, second.path)).toBe('signed-in');
    expect((await there.ask('PUT', 'session/password', { password: 'correct horse battery' })).status).toBe(200);
    const late = await linkOf();
    clockAhead.ahead = 3_600_000;
    expect(await signIn(it.browser(), late.path)).toBeNull();
  });

  test('asks for the second factor, unless that was taken away', async () => {
    const ben = await world.somebody('ben', ['operator']);
    const { secret } = (await ben.ask('POST', 'session/second-factor', {})).body as { secret: string };
    await ben.ask('PUT', 'session/second-factor', { code: totpCode(secret, clockAhead.now()) });
    const opened = async (): Promise<unknown> => {
      const { link } = (await ann.ask('POST', `${PEOPLE}/${ben.id}/link`, {})).body as { link: LinkView };
      return signIn(it.browser(), link.path);
    };
    expect(await opened()).toBe('second-factor');
    expect((await ann.ask('POST', `${PEOPLE}/${ben.id}/second-factor-removal`, {})).status).toBe(200);
    expect((await memberOf('ben')).user.hasSecondFactor).toBe(false);
    expect(await opened()).toBe('signed-in');
  });

  test('who is shut out gets none, and whoever has the machine makes one for anybody who is not', async () => {
    const root = await world.somebody('root', [], { runsServer: true });
    const ben = await world.somebody('ben', ['operator']);
    expect((await root.ask('PUT', `users/${ben.id}/disabled`, { disabled: true })).status).toBe(200);
    expect(await ann.ask('POST', `${PEOPLE}/${ben.id}/link`, {})).toMatchObject({ code: 'user-disabled' });
    expect(await world.local('POST', `${PEOPLE}/${ben.id}/link`, {})).toMatchObject({ code: 'user-disabled' });
    expect((await world.local('POST', `${PEOPLE}/${root.id}/link`, {})).status).toBe(200);
  });
});

describe('somebody who is removed', () => {
  test('can do nothing there from that moment on, by session or token, and finds no grants when they come back', async () => {
    const ben = await world.somebody('ben', ['operator']);
    const made = async (body: object): Promise<Visitor> =>
      it.withToken(((await ben.ask('POST', 'tokens', body)).body as { text: string }).text);
    const narrow = await made({ name: 'narrow', organization: 'default' });
    const whole = await made({ name: 'whole' });
    for (const each of [ben, narrow, whole]) expect((await each.ask('GET', PEOPLE)).status).toBe(200);
    expect((await ann.ask('DELETE', `${PEOPLE}/${ben.id}`)).status).toBe(200);
    expect(await narrow.ask('GET', PEOPLE)).toMatchObject({ status: 401 });
    for (const each of [ben, whole])
      expect(await each.ask('GET', PEOPLE)).toMatchObject({ status: 404, code: 'organization-unknown' });
    await ann.ask('POST', PEOPLE, { login: 'ben' });
    expect((await memberOf('ben')).grants).toEqual([]);
    expect(await ben.ask('GET', PEOPLE)).toMatchObject(forbidden);
  });

  test('is never the last admin, unless whoever has the machine wants it so', async () => {
    const [grant] = (await memberOf('ann')).grants;
    const last = { status: 409, code: 'last-admin' };
    expect(await ann.ask('DELETE', `${PEOPLE}/${ann.id}`)).toMatchObject(last);
    expect(await ann.ask('DELETE', `${PEOPLE}/${ann.id}/grants/${grant?.id}`)).toMatchObject(last);
    const ben = await world.somebody('ben', ['admin']);
    expect((await ann.ask('DELETE', `${PEOPLE}/${ann.id}/grants/${grant?.id}`)).status).toBe(200);
    expect(await ann.ask('GET', PEOPLE)).toMatchObject(forbidden);
    expect((await world.local('DELETE', `${PEOPLE}/${ben.id}`)).status).toBe(200);
  });

  test('or shut out, or removed for good, has no session and no token that counts', async () => {
    const root = await world.somebody('root', [], { runsServer: true });
    const ben = await world.somebody('ben', ['operator']);
    const { text } = (await ben.ask('POST', 'tokens', { name: 'ci' })).body as { text: string };
    const token = it.withToken(text);
    await root.ask('PUT', `users/${ben.id}/disabled`, { disabled: true });
    for (const each of [ben, token]) expect(await each.ask('GET', PEOPLE)).toMatchObject({ status: 401 });
    await root.ask('PUT', `users/${ben.id}/disabled`, { disabled: false });
    expect((await token.ask('GET', PEOPLE)).status).toBe(200);
    expect((await root.ask('DELETE', `users/${ben.id}`)).status).toBe(200);
    expect(await token.ask('GET', PEOPLE)).toMatchObject({ status: 401 });
  });
});

describe('who runs the server', () => {
  test('says who there is and who else runs it, and nobody else does', async () => {
    const root = await world.somebody('root', [], { runsServer: true });
    expect((await root.ask('GET', 'users')).body).toMatchObject({
      users: [
        { login: 'ann', organizations: ['default'] },
        { login: 'root', runsServer: true },
      ],
    });
    for (const [method, path, body] of [
      ['GET', 'users', undefined],
      ['PUT', `users/${ann.id}/runs-server`, { runsServer: true }],
      ['PUT', `users/${root.id}/disabled`, { disabled: true }],
      ['DELETE', `users/${root.id}`, undefined],
    ] as const)
      expect(await ann.ask(method, path, body)).toMatchObject(forbidden);
    // Nor does running the server give anything in an organization.
    expect(await root.ask('POST', PEOPLE, { login: 'eve', grants: [] })).toMatchObject(forbidden);
  });

  test('does not shut out themselves or the last one', async () => {
    const root = await world.somebody('root', [], { runsServer: true });
    const last = { status: 409, code: 'last-runs-server' };
    expect(await root.ask('PUT', `users/${root.id}/disabled`, { disabled: true })).toMatchObject({ code: 'yourself' });
    expect(await root.ask('DELETE', `users/${root.id}`)).toMatchObject({ code: 'yourself' });
    expect(await root.ask('PUT', `users/${root.id}/runs-server`, { runsServer: false })).toMatchObject(last);
    await root.ask('PUT', `users/${ann.id}/runs-server`, { runsServer: true });
    expect((await root.ask('PUT', `users/${root.id}/runs-server`, { runsServer: false })).status).toBe(200);
    expect(await root.ask('GET', 'users')).toMatchObject(forbidden);
    expect((await world.local('PUT', `users/${ann.id}/runs-server`, { runsServer: false })).status).toBe(200);
    expect(await ann.ask('PUT', 'users/none/disabled', { disabled: true })).toMatchObject(forbidden);
    expect(await world.local('PUT', 'users/none/disabled', { disabled: true })).toMatchObject({ code: 'user-unknown' });
  });
});
