import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import type { Project } from '../../src/domain/project/project.ts';
import type { Rollout } from '../../src/domain/rollout/rollout.ts';
import { deploy } from '../../src/engine/operations/deploy.ts';
import { rollback } from '../../src/engine/operations/rollback.ts';
import { openMemoryStore } from '../../src/store/sqlite/open.ts';
import type { Store } from '../../src/ports/store.ts';
import { type CloudWorld, load, once, openCloudWorld, shop } from '../support/cloud/cloud-run-world.ts';
import { policy } from '../support/engine/world.ts';
import { waitFor } from '../support/wait.ts';
import { running, service } from './deployed.ts';
import { ask, endEmulators } from './emulated.ts';

afterEach(endEmulators);

const NAME = 'shop-production-api';

/** Says its version; of `bad` so many of a hundred requests fail. */
const program = (version: string, bad = 0): Record<string, string> => ({
  'main.js': `
    require('node:http').createServer((request, response) => {
      if (request.url !== '/health' && Math.random() * 100 < ${bad}) response.statusCode = 500;
      response.end('${version}');
    }).listen(process.env.PORT);
    process.on('SIGTERM', () => process.exit(0));`,
});

const CANARY = {
  canary: [{ weight: 50, forMs: 8_000 }],
  analysis: { errorRate: 0.05, p95Ms: 20_000, minRequests: 10 },
};

const BACK = { project: 'shop', environment: 'production', service: 'api', all: false, comment: null, by: 'ada' };

async function opened(): Promise<{
  store: Store;
  image: (version: string, bad?: number, files?: Record<string, string>) => Promise<string>;
  url: string;
  emulator: Awaited<ReturnType<typeof running>>['emulator'];
}> {
  const { emulator, image } = await running({ metricsStepMs: 1_000, metricsDelayMs: 200 });
  emulator.world.projects.setOn(emulator.world.projects.find('demo-project'), 'monitoring.googleapis.com', true);
  emulator.world.projects.setOn(
    emulator.world.projects.find('demo-project'),
    'cloudresourcemanager.googleapis.com',
    true,
  );
  const account = await ask(emulator, 'POST', 'iam', '/v1/projects/demo-project/serviceAccounts', {
    body: { accountId: 'shop-production' },
  });
  expect(account.status).toBe(200);
  const store = await openMemoryStore();
  onTestFinished(() => store.close());
  return {
    store,
    emulator,
    url: emulator.url,
    image: (version, bad, files) => image(`${version}:1`, files ?? program(version, bad)),
  };
}

const ship = async (world: CloudWorld, project: Project): Promise<Rollout> => {
  const begun = await deploy(world.engine, {
    project,
    services: null,
    onlyChanged: false,
    label: null,
    replace: false,
    keepFailed: null,
    by: 'ada',
  });
  if (begun.rollout === null) throw new Error('nothing was begun');
  return begun.rollout;
};

const reach = (store: Store, rollout: Rollout, wanted: (now: Rollout) => boolean, what: string): Promise<Rollout> =>
  waitFor(
    async () => {
      const now = await store.rollout(rollout.id);
      return now !== null && (wanted(now) || now.end !== null) ? now : null;
    },
    { what: `${what} of ${rollout.id}`, timeout: 90_000 },
  ).then((now) => {
    expect(wanted(now), `${now.end}: ${now.reason}`).toBe(true);
    return now;
  });

const isWatching = (now: Rollout): boolean => now.phase === 'watching' && now.end === null;

describe('a rollout on Cloud Run', () => {
  test('first deploy, canary to promotion, a bad one taken back, and a rollback', { timeout: 240_000 }, async () => {
    const { store, emulator, image, url } = await opened();
    const world = await openCloudWorld(store, url);
    onTestFinished(() => world.close());

    const first = await ship(world, shop(await image('v1')));
    await reach(store, first, isWatching, 'promotion');
    const { uri } = await service(emulator, NAME);
    expect(await once(url, `${uri}/`)).toEqual({ status: 200, body: 'v1' });

    const traffic = load(url, `${uri}/`, 20);
    onTestFinished(() => traffic.stop());
    const second = await ship(world, shop(await image('v2'), { rollout: CANARY }));
    const promoted = await reach(store, second, isWatching, 'promotion');
    expect(promoted.analysis['api']?.verdict).toBeDefined();
    const passed = (await store.journal(second.id)).find(({ from, to }) => from === 'canary' && to === 'promoting');
    expect(passed?.reason).toContain('Judged by counts of requests');
    expect((await once(url, `${uri}/`)).body).toBe('v2');
    // Hot for a rollback: the former release still answers at the address of its own.
    const { trafficStatuses } = await service(emulator, NAME);
    expect(trafficStatuses).toHaveLength(2);

    // At once while it is hot: one change of the traffic, and said only when it is so.
    const taken = await rollback(world.engine, { ...BACK, to: null });
    expect((await once(url, `${uri}/`)).body).toBe('v1');
    if (taken.rollout !== null) await reach(store, taken.rollout, (now) => now.end === 'rolled-back', 'the way back');
    const again = await ship(world, shop(await image('v2')));
    await reach(store, again, isWatching, 'promotion');

    const third = await ship(world, shop(await image('v3', 50), { rollout: CANARY }));
    const failed = await reach(store, third, (now) => now.end === 'failed', 'failure');
    expect(failed.reason).toContain('The canary breaks its limit');
    await traffic.stop();
    // What was decided is done at once, by a call that takes its time.
    await expect
      .poll(async () =>
        (await service(emulator, NAME)).trafficStatuses.filter((each: { percent?: number }) => each.percent),
      )
      .toHaveLength(1);
    expect((await once(url, `${uri}/`)).body).toBe('v2');
    expect([...traffic.statuses.keys()].toSorted((a, b) => a - b)).toEqual([200, 500]);

    const back = await rollback(world.engine, { ...BACK, to: 'api@1' });
    if (back.rollout !== null)
      await reach(store, back.rollout, (now) => isWatching(now) || now.end === 'rolled-back', 'the way back');
    await waitFor(async () => (await once(url, `${uri}/`)).body === 'v1' || null, {
      what: 'v1 to answer',
      timeout: 30_000,
    });
  });

  test(
    'nobody but evenkeel itself asks the canary: that is no data, and nothing passes',
    { timeout: 240_000 },
    async () => {
      const { store, image, url } = await opened();
      const world = await openCloudWorld(store, url);
      onTestFinished(() => world.close());
      const first = await ship(world, shop(await image('v1')));
      await reach(store, first, isWatching, 'promotion');
      const rollout = {
        canary: [{ weight: 50, forMs: 6_000 }],
        analysis: { errorRate: 0.05, p95Ms: 20_000, minRequests: 10 },
      };
      const second = await ship(world, shop(await image('v2'), { rollout }));
      const over = await reach(store, second, (now) => now.paused !== null || isWatching(now), 'the end of the canary');
      expect(over.analysis['api']?.verdict).toMatchObject({ verdict: 'inconclusive' });
      expect(over.analysis['api']?.verdict?.canaryRequests).toBeLessThan(10);
      expect(over.phase).toBe('canary');
    },
  );

  test('a controller that is lost in the canary is followed by one that goes on', { timeout: 240_000 }, async () => {
    const { store, emulator, image, url } = await opened();
    const before = await openCloudWorld(store, url);
    const first = await ship(before, shop(await image('v1')));
    await reach(store, first, isWatching, 'promotion');
    const { uri } = await service(emulator, NAME);
    const traffic = load(url, `${uri}/`, 20);
    onTestFinished(() => traffic.stop());
    const second = await ship(before, shop(await image('v2'), { rollout: CANARY }));
    await reach(store, second, (now) => now.phase === 'canary', 'the canary');
    const told = await before.drivers.traffic.state({ project: 'shop', environment: 'production' });

    const after = await openCloudWorld(store, url);
    onTestFinished(() => after.close());
    await after.engine.start();
    await reach(store, second, isWatching, 'promotion');
    // The one before comes to itself, and is not heard any more.
    const services = told.services.map(({ config }) => config);
    const late = await before.drivers.traffic.apply({ fence: 1, services, remove: [] });
    expect(late).toMatchObject({ applied: false, refused: { reason: 'fence' } });
    await before.close();
    expect((await once(url, `${uri}/`)).body).toBe('v2');
    await traffic.stop();
    expect([...traffic.statuses.keys()]).toEqual([200]);
    const { body } = await ask(
      emulator,
      'GET',
      'run',
      `/v2/projects/demo-project/locations/europe-west1/services/${NAME}/revisions`,
    );
    expect(body.revisions).toHaveLength(2);
  });

  test('a first release that does not start fails, and nobody got in', { timeout: 120_000 }, async () => {
    const { store, emulator, image, url } = await opened();
    const world = await openCloudWorld(store, url);
    onTestFinished(() => world.close());
    const rollout = await ship(world, shop(await image('broken', 0, { 'main.js': 'process.exit(5)' })));
    const failed = await reach(store, rollout, (now) => now.end === 'failed', 'failure');
    expect(failed.reason).toMatch(/could not be started|not healthy/);
    const { uri } = await service(emulator, NAME);
    if (uri !== undefined) expect((await once(url, `${uri}/`)).status).toBe(403);
  });

  test('properties 24, 34, 36: no success without an answer at the address itself', { timeout: 240_000 }, async () => {
    const { store, emulator, image, url } = await opened();
    const world = await openCloudWorld(store, url);
    onTestFinished(() => world.close());
    const first = await ship(world, shop(await image('v1')));
    await reach(store, first, isWatching, 'promotion');
    const { uri } = await service(emulator, NAME);

    // Well at the address of its tag, where it is verified; away where everybody asks.
    const away = {
      'main.js': `
        require('node:http').createServer((request, response) => {
          if (!request.headers.host.includes('---')) response.statusCode = 503;
          response.end('the router is full');
        }).listen(process.env.PORT);
        process.on('SIGTERM', () => process.exit(0));`,
    };
    const { deadlines } = policy();
    const patient = { deadlines: { ...deadlines, promotingMs: 3_000 } };
    const second = await ship(world, shop(await image('v2', 0, away), { rollout: patient }));
    const failed = await reach(store, second, (now) => now.end === 'failed', 'failure');
    expect(failed.reason).toContain(`GET ${uri}/health answered 503: the router is full`);
    await waitFor(async () => (await once(url, `${uri}/`)).body === 'v1' || null, {
      what: 'v1 to answer',
      timeout: 30_000,
    });
    expect((await store.journal(second.id)).some(({ to }) => to === 'watching')).toBe(false);
  });
});
