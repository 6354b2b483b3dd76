import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { deploy } from '../../src/engine/operations/deploy.ts';
import { down } from '../../src/engine/operations/down.ts';
import type { Project, ServiceConfig } from '../../src/domain/project/project.ts';
import { admit } from '../../src/domain/traffic/admission.ts';
import { shop as inTheCloud } from '../support/cloud/cloud-run-world.ts';
import { shipping } from '../support/engine/shipping.ts';
import { openWorld, policy, project, service, type World } from '../support/engine/world.ts';

let world: World;
beforeEach(async () => {
  world = await openWorld();
});
afterEach(() => world.close());

const { ship, promoted, ended } = shipping(() => world);

const other = (services: ServiceConfig[], environment = {}): Project => ({
  ...project(services, environment),
  name: 'blog',
  root: '/blog',
});

const begin = (file: Project, services: string[] | null = null): ReturnType<typeof deploy> =>
  deploy(world.engine, {
    project: file,
    services,
    onlyChanged: false,
    label: null,
    replace: false,
    keepFailed: null,
    by: 'ada',
  });

const at = (path: string, host: string | null = null) => ({ routes: [{ host, path }] });

describe('a deploy that wants what somebody else has is refused before anything is built', () => {
  beforeEach(async () => {
    await promoted(await ship([service('api')]));
    world.builder.built = [];
  });
  afterEach(() => expect(world.builder.built).toEqual([]));

  test('a route of another project', async () => {
    await expect(begin(other([service('front')]))).rejects.toMatchObject({
      code: 'route-taken',
      message: 'the route *:8080/ of front is taken by shop/production/api',
      where: 'services.front.routes in evenkeel.yaml',
      next: expect.stringMatching(/another `port`, host .* or path/),
      exit: 1,
    });
    expect(await world.store.environment('blog', 'production')).toBeNull();
    expect(await world.store.releases({ project: 'blog' })).toEqual([]);
  });

  test('one that differs in case and slashes alone', async () => {
    const api = (host: string, path: string) => service('api', at(path, host));
    await ended(await ship([api('Shop.Example', '/a/')], {}, null));
    world.builder.built = [];
    await expect(begin(other([api('shop.example', '/a')]))).rejects.toMatchObject({ code: 'route-taken' });
  });

  test('a port whose address includes that of another', async () => {
    await expect(begin(other([service('front', at('/', 'blog.example'))], { bind: '0.0.0.0' }))).rejects.toMatchObject({
      code: 'port-taken',
      message: 'port 8080 of 0.0.0.0 is taken by shop/production/api',
    });
  });

  test('a route over TLS, or in plain a port that has TLS', async () => {
    const tls = { port: 8443, certificates: [{ cert: '/a', key: '/b' }], redirect: true, hsts: 'off' } as const;
    const secure = { tls: { ...tls, certificates: [...tls.certificates] } };
    await ended(await ship([service('api', at('/', 'shop.example'))], secure, null));
    world.builder.built = [];
    const front = service('front', at('/', 'shop.example'));
    await expect(begin(other([front], { port: 9090, ...secure }))).rejects.toMatchObject({
      code: 'route-taken',
      message: 'the route shop.example:8443/ of front is taken by shop/production/api',
    });
    await expect(begin(other([service('front', at('/', 'blog.example'))], { port: 8443 }))).rejects.toMatchObject({
      code: 'port-taken',
      why: 'that one is served over TLS there, and a port speaks either',
    });
  });

  test('the internal address of a service', async () => {
    const [port = 0] = await world.store.takenPorts();
    await expect(begin(other([service('front')], { port }))).rejects.toMatchObject({ code: 'port-taken' });
  });

  test('a route of a service of its own that it leaves as it is', async () => {
    const two = project([service('api', at('/api')), service('web')]);
    await expect(begin(two, ['web'])).rejects.toMatchObject({
      code: 'route-taken',
      message: expect.stringContaining('service api, which this deploy leaves as it is'),
      next: 'deploy both together: evenkeel deploy api web',
    });
  });

  test('a route that would have two owners during a canary', async () => {
    const rollout = policy({ canary: [{ weight: 10, forMs: 1_000 }] });
    const two = project([service('api', { ...at('/api'), rollout }), service('web', { rollout })]);
    await expect(begin(two)).rejects.toMatchObject({
      code: 'route-taken',
      message: 'the route *:8080/ moves from api to web',
    });
  });
});

describe('a deploy is not refused', () => {
  test('for a path or a host of its own on the same port', async () => {
    await promoted(await ship([service('api')]));
    const { rollout } = await begin(other([service('front', at('/blog')), service('images', at('/', 'img.example'))]));
    expect(rollout).not.toBeNull();
  });

  test('for what its own former releases have, nor for a route that moves with the switch', async () => {
    await promoted(await ship([service('api')]));
    const two = project([service('api', at('/api')), service('web')]);
    const { rollout } = await begin(two);
    if (rollout === null) throw new Error('nothing was begun');
    await promoted(rollout);
    expect(world.traffic.table.get('shop/production/web')?.config.routes).toMatchObject([{ path: '/' }]);
  });

  test('for what runs in the cloud, where each service has an address of its own', async () => {
    await promoted(await ship([service('api')]));
    const inCloud = (name: string, port: number): Project => {
      const file = inTheCloud('some/image');
      return { ...file, name, root: `/${name}`, environment: { ...file.environment, port } };
    };
    expect((await begin(inCloud('blog', 8080))).rollout?.reason).not.toContain('port');
    // Nor does it take anything from one that comes after it, there or here.
    expect((await begin(inCloud('store', 8080))).rollout).not.toBeNull();
    expect((await begin(project([service('api')]))).rollout).not.toBeNull();
  });

  test('for what was brought down', async () => {
    await ended(await ship([service('api')]));
    await down(world.engine, { project: 'shop', environment: 'production', by: 'ada' });
    expect((await begin(other([service('front')]))).rollout).not.toBeNull();
    await expect(begin(project([service('api')]))).rejects.toMatchObject({ code: 'route-taken' });
  });
});

describe('of two that want the same', () => {
  /** As the real edge refuses: the fake takes everything. */
  function strictEdge(): void {
    const apply = world.traffic.apply.bind(world.traffic);
    world.traffic.apply = async (command) => {
      const table = new Map([...world.traffic.table].map(([key, entry]) => [key, { key, ...entry }]));
      const { refused } = admit(table, command);
      return refused === null ? apply(command) : { applied: false, refused, at: 0 };
    };
  }

  test('at the same moment one has it, and the other is told and leaves nothing', async () => {
    strictEdge();
    const begun = await Promise.allSettled([begin(project([service('api')])), begin(other([service('front')]))]);
    const rollouts = begun.flatMap((each) => (each.status === 'fulfilled' ? (each.value.rollout ?? []) : []));
    for (const each of rollouts) await promoted(each);
    const ends = await Promise.all(rollouts.map(async (each) => (await world.store.rollout(each.id))?.end ?? null));
    expect(ends.filter((end) => end === null)).toHaveLength(1);
    expect([...world.traffic.table.values()].filter(({ config }) => config.routes.length > 0)).toHaveLength(1);
  });

  test('who has it may deploy again while the other is still on its way', async () => {
    strictEdge();
    await promoted(await ship([service('api')]));
    const { rollout } = await begin(other([service('front')], { port: 9090 }));
    if (rollout === null) throw new Error('nothing was begun');
    const release = await world.store.release('blog', 'front@1');
    if (release === null) throw new Error('no release');
    // As if it had been asked for before this one had the route.
    const record = await world.store.environment('blog', 'production');
    if (record === null) throw new Error('no environment');
    await world.store.saveEnvironment({ ...record, config: other([service('front')]) });
    await promoted(await ship([service('api')]));
  });
});
