import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Grant, WHOLE_SCOPE } from '../../src/domain/access/identity.ts';
import { isChanging, type OperationId, paths } from '../../src/api/contract/paths.ts';
import { inputOf, LET_IN, lettingIn, LOOKS_ITSELF, type Place } from '../support/authorization.ts';
import { shipping } from '../support/engine/shipping.ts';
import { openWebWorld, type Visitor, type WebWorld } from '../support/web-world.ts';
import { service } from '../support/engine/world.ts';

/** What each of them has in the organization that is asked about, in all of it unless the name says otherwise. */
const ROLES: Readonly<Record<string, readonly Grant[]>> = {
  viewer: [{ role: 'viewer', project: '*', environment: '*' }],
  operator: [{ role: 'operator', project: '*', environment: '*' }],
  approver: [{ role: 'approver', project: '*', environment: '*' }],
  admin: [{ role: 'admin', project: '*', environment: '*' }],
  'log reader': [{ role: 'logs', project: '*', environment: '*' }],
  'operator of staging': [{ role: 'operator', project: '*', environment: 'staging' }],
  'admin of another project': [{ role: 'admin', project: 'elsewhere', environment: '*' }],
  'member without a role': [],
};

let it: WebWorld;
let own: Place;
const visitors = new Map<string, Visitor>();

beforeAll(async () => {
  it = await openWebWorld({}, lettingIn());
  const { store, credentials, newId, clock } = await it.deps.access();
  const now = clock.now();
  await store.addOrganization({ id: 'other', name: 'other', createdAt: now });
  await store.saveRole('default', { name: 'logs', permissions: ['logs:read'] }, now, 'new');

  const shipped = await shipping(() => it.world).ship([service('api')]);
  await store.claimProject('shop', 'default', now);
  own = { organization: 'default', project: 'shop', environment: 'production', rollout: shipped.id };

  const enter = async (name: string, organization: string | null, grants: readonly Grant[], runsServer = false) => {
    const id = newId('us');
    await store.addUser({ id, login: name.replaceAll(' ', '-'), name, runsServer, createdAt: now });
    if (organization !== null) await store.addMember(organization, id, now);
    for (const grant of organization === null ? [] : grants)
      await store.addGrant({
        id: newId('gr'),
        organization: organization ?? '',
        user: id,
        ...grant,
        grantedBy: 'a test',
        grantedAt: now,
      });
    const visitor = it.browser();
    // The handlers let in and do nothing, so the session is made by hand.
    const cookie = credentials.newSecret();
    const session = {
      id: newId('se'),
      hash: cookie.hash,
      user: id,
      method: 'link' as const,
      address: null,
      agent: null,
    };
    await store.addSession({ ...session, createdAt: now, seenAt: now, expiresAt: now + 1e9 }, { replaces: null });
    visitor.cookie = `${it.cookieName}=${cookie.text}`;
    visitors.set(name, visitor);
    return id;
  };
  for (const [name, grants] of Object.entries(ROLES)) await enter(name, 'default', grants);
  await enter('admin of another organization', 'other', ROLES['admin'] ?? []);
  await enter('who runs the server', null, [], true);
  await enter('user without an organization', null, []);
  visitors.set('nobody', it.browser());

  const owner = (await store.users()).find(({ login }) => login === 'admin');
  const token = credentials.newApiToken();
  const scope = { ...WHOLE_SCOPE, permissions: ['environment:read' as const] };
  await store.addToken({
    ...token,
    id: newId('tk'),
    name: 'reads',
    user: owner?.id ?? '',
    scope,
    createdAt: now,
    expiresAt: null,
    madeBy: null,
    usedAt: null,
    usedFrom: null,
  });
  visitors.set('reading token', it.withToken(token.text));
}, 60_000);
afterAll(() => it.close());

async function ask(who: string, id: keyof typeof LET_IN, place: Place): Promise<string> {
  const { path, body } = inputOf(id, place);
  const [method = '', url = ''] = path.split(' ');
  const visitor = visitors.get(who);
  const query = method === 'GET' || method === 'DELETE';
  const answer = await visitor?.ask(method, `/api/v1${url}`, query ? undefined : body);
  const code = answer?.code ?? null;
  if (code === null) return 'in';
  if (code === 'unauthorized') return 'not known';
  if (code === 'forbidden') return 'forbidden';
  return /^(environment|organization|rollout)-unknown$/.test(code) ? 'no such thing' : code;
}

const OPERATIONS = Object.keys(LET_IN) as (keyof typeof LET_IN)[];
const ofServer = (id: keyof typeof LET_IN): boolean =>
  (LET_IN[id] as readonly string[]).includes('who runs the server');

test('every operation has its line here: a new one is let in to nobody before somebody has thought about it', () => {
  expect([...OPERATIONS, ...LOOKS_ITSELF].toSorted()).toEqual((Object.keys(paths) as OperationId[]).toSorted());
});

describe('what is of one’s own organization', () => {
  const members = [...Object.keys(ROLES), 'reading token'];

  test.each(members)('lets in %s to what they may, and to nothing else', async (who) => {
    const came = await Promise.all(OPERATIONS.map(async (id) => [id, await ask(who, id, own)]));
    const expected = OPERATIONS.map((id) => [id, (LET_IN[id] as readonly string[]).includes(who) ? 'in' : 'forbidden']);
    expect(Object.fromEntries(came)).toEqual(Object.fromEntries(expected));
  });

  test('lets in an operator of one environment there, and not next door', async () => {
    const staging = { ...own, environment: 'staging' };
    for (const id of ['restart', 'listReleases', 'setSecrets'] as const) {
      expect(await ask('operator of staging', id, staging)).toBe('in');
      expect(await ask('operator of staging', id, own)).toBe('forbidden');
    }
  });
});

describe('what is of others', () => {
  test.each(['admin of another organization', 'user without an organization', 'who runs the server'])(
    'is for %s as if it were not there',
    async (who) => {
      const runs = who === 'who runs the server';
      const came = await Promise.all(OPERATIONS.map(async (id) => [id, await ask(who, id, own)]));
      const expected = OPERATIONS.map((id) => [id, ofServer(id) ? (runs ? 'in' : 'forbidden') : 'no such thing']);
      expect(Object.fromEntries(came)).toEqual(Object.fromEntries(expected));
    },
  );

  test('is refused in the same words as what there is not', async () => {
    const visitor = visitors.get('admin of another organization');
    const words = async (path: string): Promise<unknown> => (await visitor?.ask('GET', `/api/v1/${path}`))?.body;
    const same = async (theirs: string, none: string, name: [string, string]): Promise<void> => {
      const [one, other] = [await words(theirs), await words(none)];
      expect(JSON.stringify(one).replaceAll(name[0], name[1])).toBe(JSON.stringify(other));
    };
    await same('projects/shop/environments/production/releases', 'projects/none/environments/production/releases', [
      'shop',
      'none',
    ]);
    await same(`rollouts/${own.rollout}`, 'rollouts/r_none', [own.rollout, 'r_none']);
    await same('organizations/default/people', 'organizations/none/people', ['default', 'none']);
  });
});

test('nobody is let in to anything, and told nothing of what there is', async () => {
  for (const id of OPERATIONS) expect([id, await ask('nobody', id, own)]).toEqual([id, 'not known']);
  const unknown = await visitors.get('nobody')?.ask('GET', '/api/v1/nothing');
  expect(unknown?.code).toBe('unauthorized');
});

test('the local command is let in to everything', async () => {
  for (const id of OPERATIONS.filter((each) => each !== 'followRollout' && each !== 'readLogs')) {
    const { path, body } = inputOf(id, own);
    const [method = '', url = ''] = path.split(' ');
    const asked = { method: method as 'GET' | 'POST', path: `/api/v1${url}` };
    const reply = await it.client.json(isChanging(id) && method !== 'DELETE' ? { ...asked, body } : asked);
    expect(reply).toMatchObject({ letIn: id });
  }
});

test('a project belongs to the organization of who deploys it first, and to no other one after that', async () => {
  const deploy = (who: string, name: string): Promise<string> => ask(who, 'deploy', { ...own, project: name });
  expect(await deploy('viewer', 'fresh')).toBe('no such thing');
  expect(await deploy('admin of another organization', 'fresh')).toBe('in');
  expect(await deploy('admin', 'fresh')).toBe('no such thing');
  const { store } = await it.deps.access();
  expect(await store.organizationOf('fresh')).toBe('other');
});
