import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { EntryConfig } from '../../src/domain/project/entry.ts';
import { NO_ENTRY, OPEN } from '../../src/domain/project/entry.ts';
import { createEngine } from '../../src/engine/engine.ts';
import { deploy } from '../../src/engine/operations/deploy.ts';
import { setMaintenance } from '../../src/engine/operations/maintenance.ts';
import { shipping } from '../support/engine/shipping.ts';
import { openWorld, project, service, type World } from '../support/engine/world.ts';

const scope = { project: 'shop', environment: 'production' };

let world: World;
beforeEach(async () => {
  world = await openWorld();
});
afterEach(() => world.close());

const { promoted } = shipping(() => world);

const entry = (changes: Partial<EntryConfig['services'][number]> = {}): EntryConfig => ({
  ...NO_ENTRY,
  services: [{ service: 'api', policy: OPEN, routes: [], maintenance: null, pages: {}, ...changes }],
});

const guarded = entry({
  policy: {
    ...OPEN,
    basicAuth: { realm: 'x', users: [{ name: 'anna', secret: 'ANNA' }], passOn: false },
    forwardAuth: { to: { service: 'judge', path: '/v' }, headers: [], timeoutMs: 100 },
  },
});

async function up(said: EntryConfig | undefined): Promise<void> {
  const file = project([service('api'), service('judge', { routes: [] })]);
  const begun = await deploy(world.engine, {
    project: { ...file, environment: { ...file.environment, ...(said === undefined ? {} : { entry: said }) } },
    services: null,
    onlyChanged: false,
    label: null,
    replace: true,
    keepFailed: null,
    by: 'ada',
  });
  if (begun.rollout !== null) await promoted(begun.rollout);
}

const route = () => world.traffic.table.get('shop/production/api')?.config.routes[0];
const hash = () => route()?.policy?.basicAuth?.users[0]?.hash;

describe('what the edge is told of who is let in', () => {
  test('is never a password; a hash changes with the secret and with nothing else', async () => {
    let value: string | null = 'one';
    world.secrets.list = async () =>
      value === null ? [] : [{ name: 'ANNA', updatedAt: 0, setBy: null, version: '1' }];
    world.secrets.resolve = async (_scope, names) => Object.fromEntries(names.map((name) => [name, value ?? '']));
    let made = 0;
    world.engine.deps.passwords.hash = async (password) => `${++made}: ${password.length}`;
    world.engine.deps.passwords.matches = async (password, known) => known.endsWith(`: ${password.length}`);
    await up(guarded);
    expect(hash()).toBe('1: 3');
    await world.clock.sleep(60_000);
    expect([hash(), made]).toEqual(['1: 3', 1]);
    const settle = async (wanted: string | null): Promise<void> => {
      for (let i = 0; i < 200 && hash() !== wanted; i++) await world.clock.sleep(1_000);
    };
    value = 'another';
    await settle('2: 7');
    expect(hash()).toBe('2: 7');
    // A secret that is taken away is nobody's password.
    value = null;
    await settle(null);
    expect(hash()).toBe(null);
    value = 'another';
    await settle('3: 7');
    // Another controller keeps what fits.
    await world.engine.stop();
    world = { ...world, engine: createEngine({ ...world.engine.deps, fence: await world.store.nextFence() }) };
    await world.engine.start();
    await world.clock.sleep(60_000);
    expect(hash()).toBe('2: 7');
    // Secrets that cannot be read keep nobody out who got in, nor a release from its traffic.
    world.secrets.list = () => Promise.reject(new Error('the key is gone'));
    await up({ ...guarded, trustedProxies: ['10.0.0.1'] });
    expect([hash(), world.traffic.table.get('shop/production/api')?.config.trustedProxies]).toEqual([
      '2: 7',
      ['10.0.0.1'],
    ]);
  });

  test('names the address at which a service judges, and a limit of bodies for everybody', async () => {
    await up(guarded);
    const port = (await world.store.deployments('shop', 'production')).find(
      (each) => each.service === 'judge',
    )?.internalPort;
    if (typeof port === 'number') expect(route()?.policy?.forwardAuth?.url).toBe(`http://127.0.0.1:${port}/v`);
    else expect(route()?.policy?.forwardAuth?.url).toBe(null);
    await up(undefined);
    expect(route()).toMatchObject({ maxBody: OPEN.maxBody });
    expect(route()?.policy).toBe(undefined);
  });

  test('maintenance outlasts deploys; what the file closes no command opens', async () => {
    await up(undefined);
    const set = (on: boolean, services: string[] | null = null) =>
      setMaintenance(world.engine, { ...scope, on, services, by: 'ada' });
    const closed = () => world.traffic.table.get('shop/production/api')?.config.maintenance ?? null;
    // Two at once: both are done, one after the other, and none undoes the other's.
    await Promise.all([up({ ...NO_ENTRY, trustedProxies: ['10.0.0.9'] }), set(true)]);
    expect(world.traffic.table.get('shop/production/api')?.config.trustedProxies).toEqual(['10.0.0.9']);
    expect((await set(true)).services).toEqual(['api']);
    expect(closed()).not.toBe(null);
    await up(undefined);
    expect(closed()).not.toBe(null);
    await set(false, ['api']);
    expect(closed()).toBe(null);
    await up(entry({ maintenance: { on: true, page: null, retryAfterMs: 1, allow: [] } }));
    expect(closed()).not.toBe(null);
    await expect(set(false)).rejects.toMatchObject({ code: 'maintenance-in-file' });
    await expect(
      setMaintenance(world.engine, { ...scope, environment: 'none', on: true, services: null, by: 'a' }),
    ).rejects.toMatchObject({
      code: 'environment-unknown',
    });
  });
});
