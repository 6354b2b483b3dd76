import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ActView } from '../../src/api/contract/audit.ts';
import { peopleOf, type Somebody } from '../support/api/people.ts';
import { policy, project, service } from '../support/engine/world.ts';
import { openWebWorld, type Visitor, type WebWorld } from '../support/web-world.ts';

let it: WebWorld;
let world: ReturnType<typeof peopleOf>;
let acme: string;
let ann: Somebody;
let bob: Somebody;
let root: Somebody;

beforeEach(async () => {
  it = await openWebWorld();
  world = peopleOf(it);
  acme = await world.organization('Acme');
  ann = await world.somebody('ann', ['admin']);
  bob = await world.somebody('bob', ['admin'], { of: acme });
  root = await world.somebody('root', [], { runsServer: true });
});
afterEach(() => it.close());

const forbidden = { status: 403, code: 'forbidden' };
const unknown = { status: 404, code: 'organization-unknown' };
const names = async (who: Visitor): Promise<unknown[]> =>
  ((await who.ask('GET', 'organizations')).body as { organizations: { name: string }[] }).organizations.map(
    ({ name }) => name,
  );
const deploy = (who: Visitor, of: string, over = {}) =>
  who.ask('POST', `projects/${of}/environments/production/deploy`, {
    definition: { ...project([service('api', { rollout: policy() })]), name: of },
    ...over,
  });

describe('organizations', () => {
  test('are seen by their members, and all of them by who runs the server', async () => {
    expect(await names(ann)).toEqual(['default']);
    expect(await names(bob)).toEqual(['Acme']);
    expect(await names(root)).toEqual(['Acme', 'default']);
    expect(
      ((await world.local('GET', 'organizations')).body as { organizations: unknown[] }).organizations,
    ).toHaveLength(2);
  });

  test('are made and removed by who runs the server, who is admin of what they make and of nothing else', async () => {
    expect(await ann.ask('POST', 'organizations', { name: 'Mine' })).toMatchObject(forbidden);
    const { organization } = (await root.ask('POST', 'organizations', { name: ' New ' })).body as {
      organization: { id: string; name: string };
    };
    expect(organization.name).toBe('New');
    expect((await root.ask('POST', `organizations/${organization.id}/people`, { login: 'eve' })).status).toBe(200);
    expect(await root.ask('POST', `organizations/${acme}/people`, { login: 'eve' })).toMatchObject(unknown);
    expect(await root.ask('POST', 'organizations', { name: 'New' })).toMatchObject({
      status: 409,
      code: 'organization-exists',
    });
    for (const each of [ann, bob])
      expect(await each.ask('DELETE', `organizations/${organization.id}`)).toMatchObject(forbidden);
    expect((await root.ask('DELETE', `organizations/${organization.id}`)).status).toBe(200);
    expect((await root.ask('DELETE', `organizations/${acme}`)).status).toBe(200);
    expect(await bob.ask('GET', `organizations/${acme}/people`)).toMatchObject(unknown);
    expect(await root.ask('DELETE', 'organizations/default')).toMatchObject({ code: 'organization-in-use' });
  });

  test('are named by their own admins', async () => {
    expect((await bob.ask('PUT', `organizations/${acme}`, { name: 'ACME' })).body).toMatchObject({
      organization: { id: acme, name: 'ACME' },
    });
    expect(await ann.ask('PUT', `organizations/${acme}`, { name: 'Mine' })).toMatchObject(unknown);
    expect(await bob.ask('PUT', `organizations/${acme}`, { name: 'default' })).toMatchObject({ status: 409 });
    expect(await bob.ask('PUT', `organizations/${acme}`, { name: 'a\u0007b' })).toMatchObject({ code: 'bad-request' });
  });

  test('tell others nothing, whatever is asked of them, and nothing of whether they exist', async () => {
    for (const [method, path, body] of [
      ['GET', 'people', undefined],
      ['POST', 'people', { login: 'eve', grants: [{ role: 'admin' }] }],
      ['DELETE', `people/${bob.id}`, undefined],
      ['POST', `people/${bob.id}/grants`, { role: 'viewer' }],
      ['DELETE', `people/${bob.id}/grants/any`, undefined],
      ['POST', `people/${bob.id}/link`, {}],
      ['POST', `people/${bob.id}/second-factor-removal`, {}],
      ['GET', 'roles', undefined],
      ['PUT', 'roles/mine', { permissions: ['environment:read'] }],
      ['DELETE', 'roles/mine', undefined],
      ['GET', 'tokens', undefined],
      ['GET', 'projects', undefined],
      ['PUT', '', { name: 'x' }],
    ] as const) {
      const ask = (of: string) => ann.ask(method, `organizations/${of}${path === '' ? '' : '/'}${path}`, body);
      const [foreign, nowhere] = [await ask(acme), await ask('none')];
      expect([method, path, foreign]).toMatchObject([method, path, unknown]);
      expect(JSON.stringify(foreign.body).replaceAll(acme, 'none')).toEqual(JSON.stringify(nowhere.body));
    }
    expect(await world.local('GET', 'organizations/none/people')).toMatchObject(unknown);
    expect(await world.local('POST', 'organizations/none/people', { login: 'eve' })).toMatchObject(unknown);
    const { store } = await it.deps.access();
    expect((await store.users()).map(({ login }) => login)).toEqual(['ann', 'bob', 'root']);
  });
});

describe('a project', () => {
  const projectsOf = async (who: Visitor, of: string): Promise<unknown> =>
    ((await who.ask('GET', `organizations/${of}/projects`)).body as { projects: unknown }).projects;

  test('belongs to one organization, and moves with all that is recorded of it', async () => {
    expect((await deploy(bob, 'shop')).status).toBe(200);
    expect(await projectsOf(bob, acme)).toEqual([{ project: 'shop' }]);
    expect(await deploy(ann, 'shop')).toMatchObject({ status: 404 });
    for (const each of [ann, bob])
      expect(await each.ask('PUT', 'projects/shop/organization', { organization: 'default' })).toMatchObject(forbidden);
    expect((await root.ask('PUT', 'projects/shop/organization', { organization: 'default' })).body).toEqual({
      from: acme,
      to: 'default',
    });
    expect(await projectsOf(ann, 'default')).toEqual([{ project: 'shop' }]);
    expect((await ann.ask('GET', 'projects/shop/environments/production/secrets')).status).toBe(200);
    expect(await bob.ask('GET', 'projects/shop/environments/production/secrets')).toMatchObject({ status: 404 });
    const move = (of: string, to: string) => root.ask('PUT', `projects/${of}/organization`, { organization: to });
    expect(await move('none', acme)).toMatchObject({ code: 'project-unknown' });
    expect(await move('shop', 'none')).toMatchObject(unknown);
    expect(await root.ask('DELETE', `organizations/${acme}`)).toMatchObject({ status: 200 });
  });
});

describe('the audit', () => {
  const acts = async (who: Visitor, query = ''): Promise<ActView[]> =>
    ((await who.ask('GET', `audit${query}`)).body as { acts: ActView[] }).acts;
  const operationsOf = async (who: Visitor, query = ''): Promise<unknown[]> =>
    (await acts(who, query)).map(({ operation, organization }) => [operation, organization]);

  test('shows everybody the acts of their own organizations, and who runs the server those of none', async () => {
    await deploy(bob, 'shop');
    await ann.ask('PUT', 'organizations/default/roles/mine', { permissions: ['environment:read'] });
    await root.ask('PUT', `users/${ann.id}/runs-server`, { runsServer: false });
    await ann.ask('GET', 'audit');
    expect(await operationsOf(ann)).toEqual([
      ['saveRole', 'default'],
      ['invitePerson', 'default'],
      ['invitePerson', 'default'],
    ]);
    expect(await operationsOf(bob)).toEqual([
      ['deploy', acme],
      ['invitePerson', acme],
    ]);
    const roots = await operationsOf(root);
    expect(roots).toContainEqual(['setRunsServer', null]);
    expect(roots.filter((each) => (each as unknown[])[1] !== null)).toEqual([]);
    const all = (await world.local('GET', 'audit')).body as { acts: ActView[] };
    expect(new Set(all.acts.map(({ organization }) => organization))).toEqual(new Set([null, 'default', acme]));
    const ben = await world.somebody('ben', ['operator']);
    expect(await ben.ask('GET', 'audit')).toMatchObject(forbidden);
    // What one may not see is no page of its own: each is full.
    expect(await acts(bob, '?limit=1')).toMatchObject([{ operation: 'deploy' }]);
    expect(await acts(bob, '?organization=default')).toEqual([]);
  });

  test('keeps with an act the organization that a project had then', async () => {
    await deploy(bob, 'shop');
    await root.ask('PUT', 'projects/shop/organization', { organization: 'default' });
    await ann.ask('PUT', 'projects/shop/environments/production/maintenance', { on: false });
    const shop = async (who: Visitor) => operationsOf(who, '?project=shop');
    expect(await shop(ann)).toEqual([['setMaintenance', 'default']]);
    expect(await shop(bob)).toEqual([
      ['moveProject', acme],
      ['deploy', acme],
    ]);
  });

  test('tells whoever was reached for, and nobody else, of whom others tried', async () => {
    await deploy(bob, 'shop');
    await ann.ask('POST', 'projects/shop/environments/production/down', {});
    await ann.ask('POST', `organizations/${acme}/people`, { login: 'eve', grants: [{ role: 'admin' }] });
    const refused = (await acts(bob, '?result=refused')).map(({ who, operation }) => [who, operation]);
    expect(refused).toEqual([
      ['ann', 'invitePerson'],
      ['ann', 'down'],
    ]);
    expect(await acts(ann, '?result=refused')).toEqual([]);
  });

  test('is a file of the same, with the organization in it, and is looked through by who runs the server', async () => {
    await deploy(bob, 'shop');
    const { port } = it;
    const exported = async (who: Visitor, format: string): Promise<string> => {
      const headers = { cookie: who.cookie ?? '' };
      return (await fetch(`http://127.0.0.1:${port}/api/v1/audit/export?format=${format}`, { headers })).text();
    };
    const lines = (await exported(bob, 'ndjson')).trimEnd().split('\n');
    expect(new Set(lines.map((line) => (JSON.parse(line) as ActView).organization))).toEqual(new Set([acme]));
    const [titles, ...rows] = (await exported(bob, 'csv')).trimEnd().split('\r\n');
    expect(titles).toContain(',operation,organization,project,');
    expect(rows).toHaveLength(lines.length);
    expect(await bob.ask('GET', 'audit/verification')).toMatchObject(forbidden);
    expect((await root.ask('GET', 'audit/verification')).body).toMatchObject({ findings: [] });
  });
});

test('what is shown once is kept by nothing: not for who asks again, not in the audit, not in the store', async () => {
  const asked = async (path: string, body: object): Promise<{ status: number; text: string }> => {
    const headers = {
      cookie: ann.cookie ?? '',
      'content-type': 'application/json',
      'idempotency-key': 'the-same-key',
    };
    const url = `http://127.0.0.1:${it.port}/api/v1/${path}`;
    const reply = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
    return { status: reply.status, text: await reply.text() };
  };
  const shown: string[] = [];
  const remember = ({ status, text }: { status: number; text: string }, part: RegExp): void => {
    expect(status).toBe(200);
    shown.push(part.exec(text)?.[1] ?? expect.unreachable(text));
  };
  remember(await asked('organizations/default/people', { login: 'eve' }), /#link=(\w+)/);
  const { store } = await it.deps.access();
  const eve = await store.proofs({ login: 'eve' });
  remember(await asked(`organizations/default/people/${eve?.user.id}/link`, {}), /#link=(\w+)/);
  remember(await asked('tokens', { name: 'ci' }), /"text":"(\w+)"/);
  // The same key again is another call: nothing knows the first answer.
  expect(await asked('tokens', { name: 'ci' })).toMatchObject({ status: 409 });

  const kept = JSON.stringify([
    await it.world.store.auditEntries({ after: 0, limit: 1_000 }),
    await store.tokens({ user: ann.id }),
    await it.world.store.claimKey({
      who: 'user:ann',
      key: it.world.engine.deps.digest('the-same-key'),
      operation: 'createToken',
      content: '',
      at: 0,
      fence: 1,
    }),
  ]);
  for (const secret of shown) expect(kept).not.toContain(secret);
  expect(kept).toContain('"claimed":true');
});
