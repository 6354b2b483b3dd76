import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { RunApi } from '../../src/drivers/cloud-run/run-api.ts';
import { HealthChecks } from '../../src/drivers/cloud-run/health.ts';
import { Monitoring } from '../../src/drivers/cloud-run/monitoring.ts';
import { CloudRunRuntime } from '../../src/drivers/cloud-run/runtime.ts';
import { CloudRunTraffic } from '../../src/drivers/cloud-run/traffic.ts';
import { type CloudEnvironment, Views } from '../../src/drivers/cloud-run/view.ts';
import { askServices } from '../../src/app/cloud/ask-service.ts';
import { onCloudRun } from '../../src/domain/cloud/run/on-cloud-run.ts';
import { edgeServiceSchema, type EdgeService } from '../../src/domain/traffic/protocol.ts';
import { findCredentials } from '../../src/platform/google/credentials.ts';
import { openGoogle } from '../../src/platform/google/http.ts';
import { openWire } from '../../src/platform/google/wire.ts';
import type { InstanceSpec } from '../../src/ports/runtime.ts';
import { PACE, PLACE, shop } from '../support/cloud/cloud-run-world.ts';
import { waitFor } from '../support/wait.ts';
import { call, patch, running, service } from './deployed.ts';
import { ask, endEmulators, TOKEN } from './emulated.ts';

afterEach(endEmulators);

const scope = { project: 'shop', environment: 'production' };
const NAME = 'shop-production-api';

/** The drivers as two controllers have them, over one cloud. */
async function opened() {
  const { emulator, image } = await running({ startupMs: 3_000 });
  const account = { body: { accountId: 'shop-production' } };
  await ask(emulator, 'POST', 'iam', '/v1/projects/demo-project/serviceAccounts', account);
  const env = { EVENKEEL_CLOUD_ENDPOINT: emulator.url, EVENKEEL_CLOUD_TOKEN: TOKEN };
  const again = async () => {
    const credentials = await findCredentials({ env });
    const http = openGoogle({ credentials, endpoint: new URL(emulator.url) });
    const wire = openWire(new URL(emulator.url));
    const api = new RunApi(http);
    const views = new Views(api, 0);
    const health = new HealthChecks(askServices(wire, credentials));
    onTestFinished(() => {
      health.close();
      wire.close();
      http.close();
    });
    const environmentOf = async (asked: { project: string; environment: string }): Promise<CloudEnvironment> => ({
      ...PLACE,
      scope: { project: asked.project, environment: asked.environment },
    });
    const ask = askServices(wire, credentials);
    return {
      runtime: new CloudRunRuntime({ api, views, environmentOf, urlOf: async (_, name) => `https://${name}.example` }),
      traffic: new CloudRunTraffic({
        api,
        views,
        health,
        monitoring: new Monitoring({ calls: http, periodMs: 1_000, lateMs: 500, everyMs: 100 }),
        ask,
        environmentOf,
        settleMs: PACE.settleMs,
        warn: () => undefined,
      }),
    };
  };
  return { emulator, image, again, ...(await again()) };
}

function specOf(image: string, number = 1, change: Partial<InstanceSpec> = {}): InstanceSpec {
  const [config] = onCloudRun(shop(image, { cloud: { env: { GREETING: ['hello'] } } })).services;
  const release = `api@${number}`;
  return {
    id: `shop.production.${release}.0.0`,
    ...scope,
    service: 'api',
    release,
    index: 0,
    generation: 0,
    artifact: image,
    dir: '.',
    command: '',
    env: {},
    port: null,
    data: [],
    resources: { memory: null, cpu: null },
    log: '/dev/null',
    cloud: config?.cloud,
    ...change,
  };
}

/** A table that gives releases these shares, as the engine makes it. */
const tableOf = (shares: Record<string, number>, change: Partial<EdgeService> = {}): EdgeService =>
  edgeServiceSchema.parse({
    ...scope,
    service: 'api',
    unit: 'r1',
    routes: [{ port: 8080, host: null, path: '/' }],
    internalPort: 20_000,
    preview: null,
    releases: Object.entries(shares).map(([release, weight]) => ({
      release,
      weight,
      instances: [{ id: `shop.production.${release}.0.0`, port: 8080, startedAt: 1 }],
      static: null,
    })),
    split: null,
    whenEmpty: 'hold',
    health: { path: '/', graceMs: 0, intervalMs: 100, timeoutMs: 2_000 },
    timeoutMs: 1_000,
    drainMs: 1_000,
    ...change,
  });

const settledShares = (emulator: Awaited<ReturnType<typeof running>>['emulator'], wanted: number[]) =>
  waitFor(
    async () => {
      const { trafficStatuses = [], reconciling } = await service(emulator, NAME);
      const shares = trafficStatuses.map(({ percent = 0 }: { percent?: number }) => percent).toSorted();
      return reconciling !== true && JSON.stringify(shares) === JSON.stringify(wanted) ? true : null;
    },
    { what: `shares of ${wanted.join(', ')}`, timeout: 30_000 },
  );

describe('the Cloud Run runtime', () => {
  test('an instance is one revision, however often and from wherever it is started', async () => {
    const { emulator, image, runtime, again } = await opened();
    const spec = specOf(await image('api'));
    const other = (await again()).runtime;
    await Promise.all([runtime.start(spec), runtime.start(spec), other.start(spec)]);
    await runtime.start(spec);
    const seen = await other.observe(scope);
    expect(seen).toHaveLength(1);
    expect(seen[0]).toMatchObject({
      id: spec.id,
      release: 'api@1',
      state: 'running',
      port: 8080,
      stopRequested: false,
    });
    const { body } = await ask(
      emulator,
      'GET',
      'run',
      `/v2/projects/demo-project/locations/europe-west1/services/${NAME}/revisions`,
    );
    expect(body.revisions).toHaveLength(1);
    expect(await runtime.observe({ ...scope, environment: 'staging' })).toEqual([]);
  });

  test('a new revision has no traffic, an address of its own, and what was declared of it', async () => {
    const { emulator, image, runtime } = await opened();
    await runtime.start(specOf(await image('api')));
    await settledShares(emulator, [100]);
    await runtime.start(specOf(await image('next:1'), 2));
    await settledShares(emulator, [0, 100]);
    const { trafficStatuses, template, labels } = await service(emulator, NAME);
    expect(trafficStatuses.map(({ tag }: { tag: string }) => tag)).toEqual(['r1', 'r2']);
    expect(labels).toMatchObject({ 'evenkeel-project': 'shop', 'evenkeel-environment': 'production' });
    expect(template).toMatchObject({
      scaling: { maxInstanceCount: 4 },
      timeout: '60s',
      sessionAffinity: false,
      serviceAccount: 'shop-production@demo-project.iam.gserviceaccount.com',
    });
    const { uri } = trafficStatuses.find(({ tag }: { tag: string }) => tag === 'r2');
    const answer = await call(emulator, `${uri}/`, { headers: { authorization: `Bearer ${TOKEN}` } });
    expect(answer.json.env).toMatchObject({ GREETING: 'hello', EVENKEEL_RELEASE: 'api@2' });
    // Nobody who does not prove who they are gets in before the first release is promoted.
    expect((await call(emulator, `${uri}/`)).status).toBe(403);
  });

  test('one that does not start is shown as a failed start, with what Cloud Run says', async () => {
    const { image, runtime } = await opened();
    await runtime.start(specOf(await image('bad', { 'main.js': 'process.exit(4)' })));
    const ended = await waitFor(
      async () => (await runtime.observe(scope)).find(({ state }) => state === 'ended') ?? null,
      {
        what: 'the failed start',
        timeout: 30_000,
      },
    );
    expect(ended.end).toMatchObject({ kind: 'start-failed', detail: expect.stringContaining('exited with code 4') });
    expect(ended.stopRequested).toBe(false);
    await runtime.remove(ended.id);
    expect(await runtime.observe(scope)).toEqual([]);
  });

  test('one that did not start does not keep the next one from being reached, kept or removed', async () => {
    const { emulator, image, runtime } = await opened();
    const broken = specOf(await image('bad', { 'main.js': 'process.exit(4)' }));
    await runtime.start(broken);
    const endOf = (id: string) =>
      waitFor(async () => (await runtime.observe(scope)).find((each) => each.id === id && each.state === 'ended'), {
        what: `the failed start of ${id}`,
        timeout: 30_000,
      });
    await endOf(broken.id);
    await runtime.remove(broken.id);
    const kept = specOf(broken.artifact, 2);
    await runtime.start(kept);
    await endOf(kept.id);
    await runtime.start(specOf(await image('api'), 3));
    await settledShares(emulator, [100]);
    const { uri, trafficStatuses = [] } = await service(emulator, NAME);
    expect(trafficStatuses[0]?.tag).toContain('r3');
    expect((await call(emulator, `${uri}/`)).status).toBe(403);
  });

  test('is stopped, refuses to be removed while it runs, and is forgotten afterwards', async () => {
    const { emulator, image, runtime } = await opened();
    const [first, second] = [specOf(await image('api')), specOf(await image('next:1'), 2)];
    await runtime.start(first);
    await settledShares(emulator, [100]);
    await runtime.start(second);
    await expect(runtime.remove(second.id)).rejects.toMatchObject({ code: 'instance-running', retryable: true });
    await runtime.stop(second.id, { graceMs: 0, reason: 'test' });
    await runtime.stop('shop.production.api@9.0.0', { graceMs: 0, reason: 'nobody' });
    const seen = await runtime.observe(scope);
    expect(seen.find(({ id }) => id === second.id)).toMatchObject({ state: 'ended', stopRequested: true });
    const ended = seen.find(({ id }) => id === second.id);
    await runtime.start(second);
    expect((await runtime.observe(scope)).find(({ id }) => id === second.id)).toEqual(ended);
    await runtime.remove(second.id);
    await runtime.remove(second.id);
    expect((await runtime.observe(scope)).map(({ id }) => id)).toEqual([first.id]);
    await settledShares(emulator, [100]);
  });

  test('what has all traffic and is stopped has no instances any more, and comes back as a new one', async () => {
    const { emulator, image, runtime } = await opened();
    const spec = specOf(await image('api'));
    await runtime.start(spec);
    await settledShares(emulator, [100]);
    await runtime.stop(spec.id, { graceMs: 0, reason: 'down' });
    expect((await service(emulator, NAME)).scaling).toEqual({ scalingMode: 'MANUAL', manualInstanceCount: 0 });
    await runtime.start(specOf(spec.artifact, 1, { id: 'shop.production.api@1.0.1', generation: 1 }));
    expect((await service(emulator, NAME)).scaling?.scalingMode).not.toBe('MANUAL');
  });

  test('refuses a service of that name that somebody else has made', async () => {
    const { emulator, image, runtime } = await opened();
    const reference = await image('api');
    const path = `/v2/projects/demo-project/locations/europe-west1/services?serviceId=${NAME}`;
    await ask(emulator, 'POST', 'run', path, { body: { template: { containers: [{ image: reference }] } } });
    await expect(runtime.start(specOf(reference))).rejects.toMatchObject({
      code: 'cloud-service-foreign',
      retryable: false,
    });
  });
});

describe('the traffic of Cloud Run', () => {
  async function serving() {
    const drivers = await opened();
    const { emulator, image, runtime, traffic } = drivers;
    await runtime.start(specOf(await image('api')));
    await settledShares(emulator, [100]);
    await runtime.start(specOf(await image('next:1'), 2));
    await settledShares(emulator, [0, 100]);
    await traffic.apply({ fence: 3, services: [tableOf({ 'api@1': 100, 'api@2': 0 })], remove: [] });
    return drivers;
  }
  const weights = async ({ traffic }: Awaited<ReturnType<typeof serving>>) =>
    (await traffic.state(scope)).services[0]?.config.releases.map(({ weight }) => weight);

  test('shares follow the table, what is said is what is so, and a second time changes nothing', async () => {
    const drivers = await serving();
    const { emulator, traffic } = drivers;
    const table = tableOf({ 'api@1': 70, 'api@2': 30 });
    expect((await traffic.apply({ fence: 3, services: [table], remove: [] })).applied).toBe(true);
    await settledShares(emulator, [30, 70]);
    expect((await traffic.state(scope)).services[0]?.config).toEqual(table);
    const { generation } = await service(emulator, NAME);
    expect(await traffic.apply({ fence: 3, services: [table], remove: [] })).toMatchObject({
      applied: false,
      refused: { reason: 'pending' },
    });
    expect((await service(emulator, NAME)).generation).toBe(generation);
  });

  test('the words of a controller that was overtaken are refused, also by another process', async () => {
    const { traffic, again } = await serving();
    const later = (await again()).traffic;
    const table = tableOf({ 'api@1': 50, 'api@2': 50 });
    expect((await later.apply({ fence: 8, services: [table], remove: [] })).applied).toBe(true);
    expect(
      await traffic.apply({ fence: 3, services: [tableOf({ 'api@1': 0, 'api@2': 100 })], remove: [] }),
    ).toMatchObject({
      applied: false,
      refused: { reason: 'fence' },
    });
    expect((await later.state(scope)).services[0]).toMatchObject({ fence: 8, config: { releases: table.releases } });
  });

  test('a hand in the console is seen, brought back, and no evidence', async () => {
    const drivers = await serving();
    const { emulator, traffic } = drivers;
    const split = { rollout: 'r1/api', canary: 'api@2', baseline: 'api@1', slow: null };
    const table = tableOf({ 'api@1': 70, 'api@2': 30 }, { split });
    await traffic.apply({ fence: 3, services: [table], remove: [] });
    await settledShares(emulator, [30, 70]);
    const now = await service(emulator, NAME);
    const by = now.traffic.map((each: { percent?: number }) => ({ ...each, percent: 50 }));
    await patch(emulator, NAME, { traffic: by }, '?updateMask=traffic');
    expect(await weights(drivers)).toEqual([50, 50]);
    await traffic.apply({ fence: 3, services: [table], remove: [] });
    await settledShares(emulator, [30, 70]);
    expect(await weights(drivers)).toEqual([70, 30]);
    const splits = JSON.parse((await service(emulator, NAME)).annotations['evenkeel-splits']);
    expect(splits.since.map(({ weight }: { weight: number }) => weight)).toEqual([30, -1, -1, 30]);
  });

  test('property 21: everybody may ask exactly while a public release has traffic', async () => {
    const { emulator, traffic } = await serving();
    const { uri } = await service(emulator, NAME);
    expect((await call(emulator, `${uri}/`)).status).toBe(200);
    await traffic.apply({ fence: 4, services: [], remove: ['shop/production/api'] });
    expect((await call(emulator, `${uri}/`)).status).toBe(403);
    expect((await traffic.state(scope)).services).toEqual([]);
  });

  test('instances are asked at the addresses of their tags, and a probe names the release that answered', async () => {
    const drivers = await serving();
    const { traffic } = drivers;
    const of = { ...scope, service: 'api', release: null };
    const request = { address: null, port: 1, host: null, method: 'GET', path: '/', timeoutMs: 5_000, of };
    await waitFor(
      async () => {
        const [seen] = (await traffic.state(scope)).services;
        return seen?.instances.every(({ healthy, checks }) => healthy && checks > 0) === true ? true : null;
      },
      { what: 'both to be healthy', timeout: 30_000 },
    );
    expect(await traffic.probe(request)).toMatchObject({ status: 200, release: 'api@1' });
    expect(await traffic.probe({ ...request, of: { ...of, release: 'api@2' } })).toMatchObject({ release: 'api@2' });
    await expect(traffic.probe({ ...request, of: { ...of, service: 'web' } })).rejects.toMatchObject({
      code: 'probe-failed',
    });
  });

  test('what only our own edge can do is refused and not left out in silence', async () => {
    const { traffic } = await serving();
    const table = tableOf({ 'api@1': 100 }, { maintenance: { page: null, retryAfterS: 60, allow: [] } });
    expect(await traffic.apply({ fence: 3, services: [table], remove: [] })).toMatchObject({
      refused: { reason: 'invalid', detail: expect.stringContaining('maintenance') },
    });
  });
});
