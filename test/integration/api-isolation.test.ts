import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ServiceConfig } from '../../src/domain/project/project.ts';
import { peopleOf, type Somebody } from '../support/api/people.ts';
import { policy, project, service } from '../support/engine/world.ts';
import { type Answer, openWebWorld, type Visitor, type WebWorld } from '../support/web-world.ts';
import { waitFor } from '../support/wait.ts';

let it: WebWorld;
let world: ReturnType<typeof peopleOf>;
let acme: string;
let ann: Somebody;
let bob: Somebody;

beforeEach(async () => {
  it = await openWebWorld();
  world = peopleOf(it);
  acme = await world.organization('Acme');
  ann = await world.somebody('ann', ['admin']);
  bob = await world.somebody('bob', ['admin'], { of: acme });
});
afterEach(() => it.close());

const deploy = (who: Visitor, of: string, over: Partial<ServiceConfig> = {}): Promise<Answer> => {
  const routes = [{ host: `${of}.example`, path: '/' }];
  const rollout = policy({ drainMs: 10, rollbackWindowMs: 20 });
  const definition = { ...project([service('api', { rollout, routes, ...over })]), name: of };
  return who.ask('POST', `projects/${of}/environments/production/deploy`, { definition });
};
/** As it is begun: by somebody at the machine, for the organization. */
const deployAcme = (of: string, over: Partial<ServiceConfig> = {}): Promise<Answer> => {
  const definition = { ...project([service('api', { routes: [{ host: of, path: '/' }], ...over })]), name: of };
  const path = `projects/${of}/environments/production/deploy`;
  return world.local('POST', path, { definition, inOrganization: acme });
};
/** Until the former release is gone, too: as long as it can be taken back to it counts. */
const settled = (of: string): Promise<unknown> =>
  waitFor(
    async () => {
      const open = await it.world.store.rollouts({ project: of, unsettled: true });
      const [deployment] = await it.world.store.deployments(of, 'production');
      return open.length === 0 && deployment?.former === null;
    },
    { what: `the rollout of ${of} to be over` },
  );

test('alone on a server an organization runs things as it likes', async () => {
  expect((await deploy(ann, 'shop')).status).toBe(200);
  expect((await deploy(ann, 'blog', { user: 'www-data' })).status).toBe(200);
  expect((await deploy(ann, 'wiki', { user: 'www-data' })).status).toBe(200);
});

test('whoever only tried to bring something is in nobody’s way', async () => {
  expect((await deploy(ann, 'shop')).status).toBe(200);
  expect((await deploy(bob, 'blog')).code).toBe('service-needs-user');
  expect((await deploy(ann, 'shop', { run: 'node b.js' })).code).not.toBe('service-needs-user');
});

test('a second one is refused what would run as evenkeel, or as a user of the first', async () => {
  await deploy(ann, 'shop', { user: 'www-data' });
  // Of one organization they may share it.
  expect((await deploy(ann, 'wiki', { user: 'www-data' })).status).toBe(200);
  expect(await deploy(bob, 'blog')).toMatchObject({ status: 400, code: 'service-needs-user' });
  const shared = await deploy(bob, 'blog', { user: 'www-data' });
  expect(shared).toMatchObject({
    status: 400,
    code: 'user-shared',
    body: { next: expect.stringContaining('dynamic') },
  });
  expect(JSON.stringify(shared.body)).not.toContain('shop');
  expect((await deployAcme('blog', { user: 'dynamic' })).status).toBe(200);
  // And so is the first from then on.
  expect(await deploy(ann, 'shop')).toMatchObject({ code: 'service-needs-user' });
  expect(
    (await deploy(ann, 'shop', { kind: 'static', run: null, static: { dir: 'web', spa: false } })).code,
  ).toBeNull();
});

test('nothing comes beside services that are evenkeel itself, not even while they could be taken back to', async () => {
  await deploy(ann, 'shop');
  await settled('shop');
  const beside = await deploy(bob, 'blog', { user: 'dynamic' });
  expect(beside).toMatchObject({ status: 400, code: 'organizations-not-apart' });
  expect(JSON.stringify(beside.body)).not.toContain('shop');
  const asked = { definition: { ...project([service('api', { user: 'dynamic' })]), name: 'blog' } };
  expect(await world.local('POST', 'projects/blog/environments/production/deploy', asked)).toMatchObject({
    body: { title: expect.stringContaining('api (production of shop)') },
  });
  await deploy(ann, 'shop', { user: 'dynamic', rollout: policy({ drainMs: 10, rollbackWindowMs: 3_600_000 }) });
  expect((await deploy(bob, 'blog', { user: 'dynamic' })).code).toBe('organizations-not-apart');
});

test('an old release that ran as evenkeel does not come back once there is somebody else', async () => {
  await deploy(ann, 'shop');
  await settled('shop');
  await deploy(ann, 'shop', { user: 'dynamic', run: 'node b.js' });
  await settled('shop');
  await deploy(ann, 'shop', { user: 'dynamic', run: 'node c.js' });
  await settled('shop');
  expect((await deployAcme('blog', { user: 'dynamic' })).status).toBe(200);
  const back = (to: string): Promise<Answer> =>
    ann.ask('POST', 'projects/shop/environments/production/rollback', { service: 'api', to });
  expect(await back('api@1')).toMatchObject({ code: 'service-needs-user' });
  expect((await back('api@2')).status).toBe(200);
});

test('a project does not move to where it would share an account', async () => {
  await deploy(ann, 'shop');
  await deploy(ann, 'blog');
  await settled('shop');
  const move = (of: string): Promise<Answer> =>
    world.local('PUT', `projects/${of}/organization`, { organization: acme });
  expect(await move('blog')).toMatchObject({ code: 'service-needs-user' });
  await deploy(ann, 'blog', { user: 'dynamic' });
  await settled('blog');
  expect(await move('blog')).toMatchObject({ code: 'organizations-not-apart' });
  await deploy(ann, 'shop', { user: 'dynamic' });
  await settled('shop');
  expect((await move('blog')).body).toEqual({ from: 'default', to: acme });
});

test('a definition from afar names no file that nobody at the machine has named for the project', async () => {
  await deploy(ann, 'shop', { user: 'dynamic' });
  const send = (who: Visitor, over: object, operation = 'deploy'): Promise<Answer> => {
    const definition = { ...project([service('api', { user: 'dynamic' })]), name: 'blog', ...over };
    return who.ask('POST', `projects/blog/environments/production/${operation}`, { definition });
  };
  const elsewhere = { status: 400, code: 'files-elsewhere' };
  expect(await send(bob, {})).toMatchObject(elsewhere);
  expect((await deployAcme('blog', { user: 'dynamic' })).status).toBe(200);
  const { environment } = project([]);
  const tls = { port: 8443, redirect: false, hsts: 'off' };
  for (const over of [
    { root: '/' },
    { root: '/shop/../home' },
    { environment: { ...environment, tls: { ...tls, certificates: [{ cert: '/home/a.pem', key: '/home/a.key' }] } } },
    { environment: { ...environment, tls: { ...tls, certificates: [{ cert: '/shop/../a', key: '/shop/b' }] } } },
  ])
    for (const operation of ['deploy', 'check-migrations'])
      expect([over, await send(bob, over, operation)]).toMatchObject([over, elsewhere]);
  expect((await send(bob, {}, 'check-migrations')).status).toBe(200);
});

test('names and folders of a definition lead nowhere but into the project, whoever sends it', async () => {
  const send = (services: ServiceConfig[], over: object = {}): Promise<Answer> => {
    const definition = { ...project(services), ...over };
    return world.local('POST', 'projects/shop/environments/production/deploy', { definition });
  };
  for (const bad of [
    service('../../etc'),
    service('a/b'),
    service('api', { dir: '..' }),
    service('api', { dir: '/etc' }),
    service('api', { data: ['../../blog/production/api/data'] }),
    service('api', { static: { dir: 'web/../../x', spa: false } }),
    service('api', { migrations: { folders: ['/root'], breaking: 'off' } }),
  ])
    expect([bad.name, await send([bad])]).toMatchObject([bad.name, { status: 400, code: 'bad-request' }]);
});
