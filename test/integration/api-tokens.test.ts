import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { TokenView } from '../../src/api/contract/tokens.ts';
import { peopleOf, type Somebody } from '../support/api/people.ts';
import { clockAhead } from '../support/api-world.ts';
import { policy, project, service } from '../support/engine/world.ts';
import { type Answer, openWebWorld, type Visitor, type WebWorld } from '../support/web-world.ts';

const HOUR = 3_600_000;
const PEOPLE = 'organizations/default/people';
const environment = (name: string, of = 'shop') => `projects/${of}/environments/${name}`;

let it: WebWorld;
let world: ReturnType<typeof peopleOf>;
let ann: Somebody;

beforeEach(async () => {
  it = await openWebWorld();
  world = peopleOf(it);
  ann = await world.somebody('ann', ['admin']);
  const definition = project([service('api', { rollout: policy() })]);
  await world.local('POST', `${environment('production')}/deploy`, { definition });
});
afterEach(async () => {
  clockAhead.ahead = 0;
  await it.close();
});

const make = (who: Visitor, body: object): Promise<Answer> => who.ask('POST', 'tokens', body);
const made = async (who: Visitor, body: object): Promise<Visitor & { view: TokenView; text: string }> => {
  const { body: reply, status } = await make(who, body);
  if (status !== 200) throw new Error(JSON.stringify(reply));
  const { text, token } = reply as { text: string; token: TokenView };
  return Object.assign(it.withToken(text), { view: token, text });
};
const listed = async (who: Visitor, path = 'tokens'): Promise<TokenView[]> =>
  ((await who.ask('GET', path)).body as { tokens: TokenView[] }).tokens;
const forbidden = { status: 403, code: 'forbidden' };
const unauthorized = { status: 401, code: 'unauthorized' };

describe('a token', () => {
  test('is shown once, lets its program in, and says when and from where it was used', async () => {
    const ci = await made(ann, { name: 'ci', organization: 'default', expiresAt: Date.now() + HOUR });
    expect(ci.text).toMatch(new RegExp(`^${ci.view.prefix}_`));
    expect(ci.view).toMatchObject({ name: 'ci', owner: { login: 'ann' }, organization: 'default', usedAt: null });
    expect((await ci.ask('GET', PEOPLE)).status).toBe(200);
    const [token] = await listed(ann);
    expect(token).toMatchObject({ id: ci.view.id, usedFrom: '127.0.0.1', mayRevoke: true });
    expect(token?.usedAt).toBeGreaterThanOrEqual(token?.createdAt ?? Infinity);
    expect(JSON.stringify(await listed(ann))).not.toContain(ci.text);
    expect(await make(ann, { name: 'ci' })).toMatchObject({ status: 409, code: 'token-name-taken' });
  });

  test('is worth nothing once it has expired, or was revoked', async () => {
    const short = await made(ann, { name: 'short', expiresAt: Date.now() + HOUR });
    const other = await made(ann, { name: 'other' });
    expect((await other.ask('GET', PEOPLE)).status).toBe(200);
    expect((await ann.ask('DELETE', `tokens/${other.view.id}`)).status).toBe(200);
    expect(await other.ask('GET', PEOPLE)).toMatchObject(unauthorized);
    expect(await ann.ask('DELETE', `tokens/${other.view.id}`)).toMatchObject({ status: 404, code: 'token-unknown' });
    clockAhead.ahead = 2 * HOUR;
    expect(await short.ask('GET', PEOPLE)).toMatchObject(unauthorized);
    expect(await make(ann, { name: 'late', expiresAt: Date.now() + HOUR })).toMatchObject({ code: 'token-expired' });
  });

  test('may never more than its owner, then and later', async () => {
    const ben = await world.somebody('ben', ['viewer', { role: 'operator', environment: 'staging' }]);
    const permissions = ['environment:deploy', 'environment:operate', 'environment:read'];
    const ci = await made(ben, { name: 'ci', permissions });
    expect(await ci.ask('POST', `${environment('production')}/down`, {})).toMatchObject(forbidden);
    for (const permission of ['people:write', 'organizations:manage', 'rollout:approve'])
      expect(await make(ben, { name: 'more', permissions: [permission] })).toMatchObject(forbidden);
    expect(await make(ben, { name: 'none', permissions: [] })).toMatchObject({ code: 'bad-request' });
    const { body } = await ann.ask('POST', `${PEOPLE}/${ben.id}/grants`, { role: 'operator' });
    expect((await ci.ask('POST', `${environment('production')}/restart`, { services: null })).code).not.toBe(
      'forbidden',
    );
    await ann.ask('DELETE', `${PEOPLE}/${ben.id}/grants/${(body as { grant: { id: string } }).grant.id}`);
    expect(await ci.ask('POST', `${environment('production')}/down`, {})).toMatchObject(forbidden);
  });

  test('reaches only what it is made for', async () => {
    const acme = await world.organization('Acme');
    await world.local('POST', `organizations/${acme}/people`, { login: 'ann', grants: [{ role: 'admin' }] });
    const there = await made(ann, { name: 'there', organization: acme });
    expect(await there.ask('GET', PEOPLE)).toMatchObject({ status: 404 });
    expect((await there.ask('GET', `organizations/${acme}/people`)).status).toBe(200);
    const looks = await made(ann, { name: 'looks', permissions: ['people:read'] });
    expect((await looks.ask('GET', PEOPLE)).status).toBe(200);
    expect(await looks.ask('POST', PEOPLE, { login: 'eve' })).toMatchObject(forbidden);
    const shop = await made(ann, { name: 'shop', project: 'shop', environment: 'stag*' });
    expect(await shop.ask('GET', PEOPLE)).toMatchObject(forbidden);
    expect(await shop.ask('GET', `${environment('production')}/secrets`)).toMatchObject(forbidden);
    expect((await shop.ask('GET', `${environment('staging')}/secrets`)).status).toBe(200);
    const other = await world.organization('Other');
    expect(await make(ann, { name: 'foreign', organization: other })).toMatchObject(forbidden);
  });
});

describe('a token that makes a token', () => {
  test('makes none that is wider, or lives longer, and takes it along when it ends', async () => {
    const end = Date.now() + HOUR;
    const permissions = ['environment:read', 'environment:deploy'];
    const scope = { organization: 'default', environment: 'stag*' };
    const parent = await made(ann, { name: 'parent', permissions, ...scope, expiresAt: end });
    for (const wider of [
      {},
      { environment: '*' },
      { environment: 'production' },
      { environment: 'staging', organization: 'acme' },
      { environment: 'staging', permissions: ['people:write'] },
    ])
      expect([wider, await make(parent, { name: 'wider', ...wider })]).toMatchObject([wider, forbidden]);
    const asked = { name: 'child', environment: 'staging', permissions: ['environment:deploy', 'people:write'] };
    const child = await made(parent, asked);
    expect(child.view).toMatchObject({ permissions: ['environment:deploy'], organization: 'default', expiresAt: end });
    const later = { name: 'later', environment: 'staging', expiresAt: end + 30 * 24 * HOUR };
    expect((await made(parent, later)).view).toMatchObject({ permissions, expiresAt: end });
    await ann.ask('DELETE', `tokens/${parent.view.id}`);
    expect(await child.ask('GET', 'session')).toMatchObject(unauthorized);
    expect(await listed(ann)).toEqual([]);
  });

  test('sees and ends only itself and what it made, when it is made for something', async () => {
    const narrow = await made(ann, { name: 'narrow', permissions: ['environment:read'] });
    const whole = await made(ann, { name: 'whole' });
    const child = await made(narrow, { name: 'child' });
    expect((await listed(narrow)).map(({ name }) => name)).toEqual(['child', 'narrow']);
    expect((await listed(whole)).map(({ name }) => name)).toEqual(['child', 'narrow', 'whole']);
    expect(await narrow.ask('DELETE', `tokens/${whole.view.id}`)).toMatchObject({ code: 'token-unknown' });
    expect((await narrow.ask('DELETE', `tokens/${child.view.id}`)).status).toBe(200);
    expect((await whole.ask('DELETE', `tokens/${narrow.view.id}`)).status).toBe(200);
  });
});

describe('tokens of others', () => {
  test('are seen and ended by whoever manages those of their organization, and by nobody else', async () => {
    const ben = await world.somebody('ben', ['operator']);
    const eve = await world.somebody('eve', ['operator']);
    const ci = await made(ben, { name: 'ci', organization: 'default' });
    expect(await eve.ask('GET', 'organizations/default/tokens')).toMatchObject(forbidden);
    expect(await eve.ask('DELETE', `tokens/${ci.view.id}`)).toMatchObject({ status: 404, code: 'token-unknown' });
    expect(await eve.ask('GET', 'tokens?user=ben')).toMatchObject(forbidden);
    expect(await make(eve, { name: 'as-ben', user: 'ben' })).toMatchObject(forbidden);
    expect(await make(ann, { name: 'as-ben', user: 'ben' })).toMatchObject(forbidden);
    expect(await listed(ann, 'organizations/default/tokens')).toMatchObject([
      { name: 'ci', owner: { login: 'ben' }, mayRevoke: true },
    ]);
    expect((await ann.ask('DELETE', `tokens/${ci.view.id}`)).status).toBe(200);
    expect(await ci.ask('GET', PEOPLE)).toMatchObject(unauthorized);
  });

  test('that are for everything are not ended from one of their owner’s organizations', async () => {
    const acme = await world.organization('Acme');
    const ben = await world.somebody('ben', ['operator'], { of: acme });
    const ci = await made(ben, { name: 'ci' });
    await ci.ask('GET', `organizations/${acme}/people`);
    // Ann adds whom she likes; that makes nothing of theirs hers.
    await ann.ask('POST', PEOPLE, { login: 'ben' });
    expect(await listed(ann, 'organizations/default/tokens')).toMatchObject([
      { name: 'ci', usedFrom: null, mayRevoke: false },
    ]);
    expect(await ann.ask('DELETE', `tokens/${ci.view.id}`)).toMatchObject(forbidden);
    expect((await ci.ask('GET', `organizations/${acme}/people`)).status).toBe(200);
  });
});

describe('whoever has the machine', () => {
  test('makes tokens for a user, since nobody owns those that are nobody’s', async () => {
    expect(await world.local('POST', 'tokens', { name: 'ci' })).toMatchObject({
      code: 'token-needs-user',
      body: { next: expect.stringContaining('--user') },
    });
    const { body } = await world.local('POST', 'tokens', { name: 'ci', user: 'Ann' });
    const { text, token } = body as { text: string; token: TokenView };
    expect(token.owner).toEqual({ id: ann.id, login: 'ann' });
    expect((await it.withToken(text).ask('GET', PEOPLE)).status).toBe(200);
    expect((await world.local('GET', 'tokens?user=ann')).body).toMatchObject({ tokens: [{ id: token.id }] });
    expect((await world.local('GET', 'tokens')).body).toMatchObject({ tokens: [{ id: token.id }] });
    expect(await world.local('GET', 'tokens?user=none')).toMatchObject({ code: 'user-unknown' });
    expect(await world.local('POST', 'tokens', { name: 'x', user: 'none' })).toMatchObject({ code: 'user-unknown' });
    expect((await world.local('DELETE', `tokens/${token.id}`)).status).toBe(200);
  });
});
