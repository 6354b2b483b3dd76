import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Call } from '../../src/api/call.ts';
import { HealthyMinutes } from '../../src/api/overview/healthy-minutes.ts';
import { overviewHandlers } from '../../src/api/routes/overview.ts';
import { comparisonHandlers } from '../../src/api/routes/comparison.ts';
import type { Overview } from '../../src/api/contract/overview.ts';
import type { Permission } from '../../src/domain/access/permissions.ts';
import { callOfWhoMay } from '../support/api/call.ts';
import { policy } from '../support/engine/world.ts';
import {
  edgeSample,
  instanceSample,
  openServedWorld,
  projectIn,
  quick,
  type ServedWorld,
} from '../support/api/served-world.ts';
import { waitFor } from '../support/wait.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const MiB = 1024 ** 2;
const PRODUCTION = { project: 'shop', environment: 'production' };

let served: ServedWorld;

beforeEach(async () => {
  served = await openServedWorld();
});
afterEach(() => served.close());

const row = (overview: Overview, service: string) => {
  const found = overview.services.find((each) => each.service === service);
  if (found === undefined) throw new Error(`no ${service} in ${overview.services.map((each) => each.service).join()}`);
  return found;
};
const overviewOnce = async (good: (overview: Overview) => boolean, what: string): Promise<Overview> =>
  waitFor(
    async () => {
      const overview = await served.client.getOverview({});
      return good(overview) && overview;
    },
    { what, timeout: 20_000 },
  );
/** Nothing is told any more. */
const waitForQuiet = async (): Promise<void> => {
  let before = -1;
  await waitFor(
    () => {
      const still = before === served.changes.version;
      before = served.changes.version;
      return still;
    },
    { what: 'it to be quiet', interval: 1_500 },
  );
};
/** Somebody who may do these things in production only. */
const callOf = (...permissions: Permission[]): Call =>
  callOfWhoMay((permission, scope) => permissions.includes(permission) && scope?.environment === 'production');

describe('the overview', () => {
  test('of nothing is unknown, not healthy', async () => {
    const { tiles, services, warnings, top } = await served.client.getOverview({});
    for (const { state } of Object.values(tiles)) expect(state).toBe('unknown');
    expect({ services, warnings, top }).toEqual({ services: [], warnings: [], top: { cpu: [], memory: [] } });
    await expect(served.client.getOverview({ environment: 'mars' })).rejects.toMatchObject({
      code: 'environment-unknown',
    });
  });

  test('shows what was deployed by whom, and says of what nobody asked that nothing is known', async () => {
    const config = projectIn(
      'production',
      [
        quick('api'),
        quick('web', { kind: 'static', run: null, static: { dir: 'dist', spa: false } }),
        quick('mail', { kind: 'worker', routes: [] }),
      ],
      { objectives: [{ service: 'web', role: 'landing' }] },
    );
    const rollout = await served.serve(config, 'v1');
    const overview = await overviewOnce(({ tiles }) => tiles.services.healthy === 3, 'three healthy services');
    expect(overview.tiles.services).toMatchObject({ state: 'healthy', total: 3, unknown: 0 });
    // Nothing was sampled yet: not even that there were no requests.
    expect(overview.tiles.rate).toMatchObject({ state: 'unknown', value: null });
    expect(overview.tiles.errorRate).toMatchObject({ state: 'unknown', value: null });
    expect(overview.tiles.services.points.at(-1)).toBeLessThanOrEqual(3);
    expect(overview.services.map(({ service, role }) => `${service} ${role}`)).toEqual([
      'api backend',
      'mail worker',
      'web landing',
    ]);
    expect(row(overview, 'api')).toMatchObject({
      state: 'healthy',
      release: 'api@1',
      label: 'v1',
      lastDeploy: { by: 'operator', kind: 'deploy', rollout },
      availability: { share: null, requests: 0 },
      recent: { requestsPerSecond: null, errorRate: null },
      aspects: { errors: 'unknown', latency: 'unknown', memory: null, availability: null },
      objectives: { p95Ms: { warning: 1000, critical: 2000 }, errorRate: { warning: 0.01, critical: 0.05 } },
    });
  });

  test('judges by what telemetry has, in numbers, curves and words', async () => {
    const key = 'shop/production/api';
    const objectives = [{ service: 'api', p95Ms: { warning: 200, critical: 400 }, availability: 0.999 }];
    await served.serve(
      projectIn('production', [quick('api', { resources: { memory: 512 * MiB, cpu: 2 } }), quick('quiet')], {
        objectives,
      }),
    );
    const now = Date.now();
    const slow = Array.from({ length: 50 }, () => 250);
    await served.telemetry.record({
      edge: [
        edgeSample(now - 10_000, key, { ms: slow, bad: 2, release: 'api@1' }),
        edgeSample(now - 10_000, key, { ms: slow, bad: 1, release: 'api@2' }),
        edgeSample(now - 40 * MINUTE, key, { ms: [10, 10, 10, 10] }),
        edgeSample(now - 20 * HOUR, key, { ms: [100, 100], bad: 1 }),
        edgeSample(now - 26 * HOUR, key, { ms: [900, 900], bad: 2 }),
      ],
      instances: [instanceSample(now - 10_000, key), instanceSample(now - 10 * MINUTE, 'shop/production/quiet')],
    });
    const [instance] = await served.world.runtime.observe(PRODUCTION);
    const observe = served.world.runtime.observe.bind(served.world.runtime);
    served.world.runtime.observe = async (scope) =>
      (await observe(scope)).map((each) =>
        each.id === instance?.id ? { ...each, usage: { cpuMs: 5, memory: 435 * MiB } } : each,
      );
    const overview = await overviewOnce(
      ({ tiles, day }) => tiles.services.healthy === 2 && day.complete,
      'two healthy services',
    );
    const api = row(overview, 'api');
    expect(api).toMatchObject({
      state: 'warning',
      aspects: { errors: 'warning', latency: 'warning', memory: 'warning', availability: 'warning', health: 'healthy' },
      recent: { errorRate: 0.03 },
      // A day, and not what was before: 4 bad of 106.
      availability: { requests: 106, share: 1 - 4 / 106 },
      objectives: { p95Ms: { warning: 200, critical: 400 }, memory: { warning: 0.8, critical: 0.95 } },
    });
    expect(overview.warnings.map(({ text }) => text).toSorted()).toEqual([
      'api: 3 % of requests fail, over the objective of 1 %',
      'api: 96.226 % available in 1d, objective 99.9 %',
      'api: memory 85 % of its limit',
      expect.stringMatching(/^api: p95 2\d\d ms, over the objective of 200 ms$/),
    ]);
    expect(api.p95.points).toHaveLength(48);
    const points = api.p95.points.flatMap((each, index) =>
      each === null ? [] : [[overview.day.from + index * overview.day.stepMs, Math.round((each ?? 0) / 100)]],
    );
    expect(points.map(([, hundreds]) => hundreds)).toEqual([1, 0, 2]);
    for (const [at = 0] of points) expect(at).toBeGreaterThan(now - DAY);
    // A minute without a sample is unknown, one with a sample and no request has none.
    const { rate, errorRate, p95Ms } = overview.tiles;
    expect(rate).toMatchObject({ state: 'healthy', value: expect.any(Number) });
    expect(rate.points).toHaveLength(60);
    expect(rate.points.filter((each) => each !== null)).toHaveLength(3);
    expect(rate.points.filter((each) => each === 0)).toHaveLength(1);
    expect(errorRate).toMatchObject({ state: 'warning', value: 0.03 });
    expect(p95Ms.state).toBe('warning');
    expect(overview.top.memory[0]).toMatchObject({
      service: 'api',
      memory: 435 * MiB,
      memoryLimit: 512 * MiB,
      cpuLimit: 2,
    });
    // What is quiet has no data, and does not count as bad for it.
    expect(row(overview, 'quiet')).toMatchObject({ state: 'healthy', aspects: { errors: 'unknown' } });

    // What comes later is added, and a minute is not counted twice.
    await served.telemetry.record({ edge: [edgeSample(Date.now(), key, { ms: [5, 5] })], instances: [] });
    const later = await overviewOnce((each) => row(each, 'api').availability.requests !== 106, 'the next sample');
    expect(row(later, 'api').availability.requests).toBe(108);
  });

  test('says which rollouts are under way, and which of them wait for somebody', async () => {
    const definition = { ...projectIn('production', [quick('api')], { approve: { people: 1 } }) };
    const { rollout } = await served.client.deploy({ ...PRODUCTION, definition });
    const overview = await overviewOnce(
      ({ warnings }) => warnings.some(({ aspect }) => aspect === 'rollout'),
      'its wait',
    );
    expect(overview.rollouts).toMatchObject([
      { id: rollout, ...PRODUCTION, releases: ['api@1'], weight: 0, paused: { reason: 'approval' } },
    ]);
    expect(overview.warnings.find(({ aspect }) => aspect === 'rollout')).toMatchObject({
      state: 'warning',
      ...PRODUCTION,
      service: null,
      rollout,
      text: expect.stringContaining('api@1'),
    });
    served.world.traffic.down = true;
    const blind = await overviewOnce(({ warnings }) => warnings[0]?.aspect === 'edge', 'the edge to be missed');
    expect(blind.warnings[0]).toMatchObject({ state: 'critical', project: null, environment: null });
    // Who may see nothing is not told either.
    const { getOverview } = overviewHandlers(served.deps);
    expect(await getOverview({}, callOf())).toMatchObject({ rollouts: [], warnings: [] });
  });

  test('is told at once of what changes, whatever was answered a moment ago', async () => {
    await served.serve(projectIn('production', [quick('api')]));
    await overviewOnce(({ tiles }) => tiles.services.healthy === 1, 'it to be healthy');
    await waitForQuiet();
    const [one, other] = await Promise.all([served.client.getOverview({}), served.client.getOverview({})]);
    // Asked twice at once it is looked for once.
    expect(other.at).toBe(one.at);
    served.changes.tell({ event: { type: 'metrics' }, permission: null, scope: null });
    expect((await served.client.getOverview({})).at).toBeGreaterThan(one.at);
    served.world.traffic.healthy = () => false;
    served.world.engine.wake(PRODUCTION);
    const changed = await overviewOnce(({ tiles }) => tiles.services.healthy === 0, 'it to be down');
    expect(row(changed, 'api').state).not.toBe('healthy');
    served.world.traffic.down = true;
    const unknown = await overviewOnce(({ tiles }) => tiles.services.unknown === 1, 'it to be unknown');
    expect(unknown.tiles.services.state).toBe('unknown');
  });

  test('knows how many were healthy although nobody has asked', async () => {
    const minutes = new HealthyMinutes(served.deps, 0);
    const scope = PRODUCTION;
    const now = (): number => Math.floor(Date.now() / MINUTE) * MINUTE;
    await served.serve(projectIn('production', [quick('api'), quick('web')]));
    const later = new HealthyMinutes(served.deps, 0);
    served.world.engine.wake(PRODUCTION);
    await waitFor(() => later.sumOf([scope], now()) === 2, { what: 'two healthy ones', interval: 50 });
    // The fewest that were seen count, and what nobody knows is no loss.
    expect(minutes.sumOf([scope], now())).toBeLessThanOrEqual(2);
    expect(later.sumOf([scope, { ...PRODUCTION, environment: 'staging' }], now())).toBeNull();
    expect(later.sumOf([scope], now() - 10 * MINUTE)).toBeNull();
    served.world.traffic.healthy = () => false;
    served.world.engine.wake(PRODUCTION);
    await waitFor(() => later.sumOf([scope], now()) === 0, { what: 'their loss', interval: 50 });
  });

  test('has only what the caller may see, also when another one was answered just now', async () => {
    await served.serve(projectIn('production', [quick('api')]));
    await served.serve(projectIn('staging', [quick('api')], { port: 8081 }));
    expect((await served.client.getOverview({})).services).toHaveLength(2);
    const { getOverview } = overviewHandlers(served.deps);
    const mine = await getOverview({}, callOf('environment:read'));
    expect(mine.services.map(({ environment }) => environment)).toEqual(['production']);
    expect((await getOverview({}, callOf())).services).toEqual([]);
    await expect(getOverview({ environment: 'staging' }, callOf('environment:read'))).rejects.toMatchObject({
      code: 'environment-unknown',
    });
  });
});

describe('series', () => {
  const key = 'shop/production/api';
  const of = (from: number, to: number, points = 60) =>
    served.client.getSeries({ ...PRODUCTION, service: 'api', from, to, points });

  test('are as fine as telemetry keeps, with releases, instances and marks', async () => {
    const rollout = await served.serve(
      projectIn('production', [quick('api', { rollout: policy({ drainMs: 10, rollbackWindowMs: HOUR }) })]),
    );
    const now = Date.now();
    const begin = now - HOUR;
    await served.telemetry.record({
      edge: [
        edgeSample(now - 30 * MINUTE, key, { ms: [10, 20, 30, 40], bad: 1 }),
        edgeSample(now - 30 * MINUTE, key, { ms: [500, 500], release: 'api@2' }),
        edgeSample(now - 9 * DAY, key, { ms: [70] }),
      ],
      instances: [
        instanceSample(now - 30 * MINUTE, key, { cpu: 0.5, memory: 100 }),
        instanceSample(now - 30 * MINUTE, key, { cpu: 0.25, memory: 300, instance: 'api-1' }),
        instanceSample(now - 20 * MINUTE, key, { cpu: 0.25, memory: 300, instance: 'new', release: 'api@2' }),
      ],
    });
    const hour = await of(begin, now + MINUTE, 100);
    expect(hour).toMatchObject({ resolution: '10s', bucketMs: 40_000 });
    expect(hour.at.length).toBeLessThanOrEqual(100);
    const index = hour.traffic.requests.findIndex((each) => (each ?? 0) > 0);
    expect(hour.at[index]).toBeLessThanOrEqual(now - 30 * MINUTE);
    expect(hour.traffic.requests.filter((each) => each !== null)).toEqual([6, 0]);
    expect(hour.traffic.errorRate[index]).toBeCloseTo(1 / 6, 3);
    expect(hour.traffic.p99Ms[index]).toBeGreaterThan(450);
    expect(hour.traffic.p50Ms[index]).toBeLessThan(45);
    expect(hour.releases.map(({ release }) => release)).toEqual(['api@1', 'api@2']);
    expect(hour.releases[0]).toMatchObject({ requests: expect.arrayContaining([4]) });
    // Both instances of a release together; the highest is that of one.
    expect(hour.releases[0]?.memory[index]).toBe(400);
    expect(hour.releases[0]?.memoryMax[index]).toBe(300);
    expect(hour.releases[0]?.cpu[index]).toBe(0.75);
    expect(hour.instances.map(({ instance }) => instance)).toEqual(['api-0', 'api-1', 'new']);
    expect(hour.marks).toEqual([
      expect.objectContaining({ kind: 'promoted', release: 'api@1', former: null, rollout, by: 'operator' }),
    ]);
    const month = await of(now - 30 * DAY, now, 120);
    expect(month.resolution).toBe('1m');
    expect(month.at.length).toBeLessThanOrEqual(120);
    expect(month.traffic.requests.reduce((sum: number, each) => sum + (each ?? 0), 0)).toBe(7);
    expect(month.marks.length).toBeLessThanOrEqual(1);
  });

  test('mark what was taken back', async () => {
    const windowed = quick('api', { rollout: policy({ drainMs: 10, rollbackWindowMs: HOUR }) });
    await served.serve(projectIn('production', [windowed]));
    const second = await served.serve(projectIn('production', [windowed]));
    await served.client.rollback({ ...PRODUCTION });
    await waitFor(async () => (await served.client.getRollout({ rollout: second })).end !== null, { what: 'its end' });
    const { marks } = await of(Date.now() - HOUR, Date.now() + MINUTE);
    expect(marks.map(({ kind, release, former }) => [kind, release, former])).toEqual([
      ['promoted', 'api@1', null],
      ['promoted', 'api@2', 'api@1'],
      ['rolled-back', 'api@2', 'api@1'],
    ]);
    const overview = await served.client.getOverview({});
    expect(row(overview, 'api')).toMatchObject({ release: 'api@1', lastDeploy: { kind: 'deploy' } });
    expect(row(overview, 'api').lastDeploy?.rollout).not.toBe(second);
  });

  test('of what there is not, or backwards, are refused', async () => {
    await served.serve(projectIn('production', [quick('api')]));
    const now = Date.now();
    await expect(served.client.getSeries({ ...PRODUCTION, service: 'none', from: 1, to: 2 })).rejects.toMatchObject({
      code: 'service-unknown',
    });
    for (const [from, to, points] of [
      [now, now - 1, 10],
      [now - 40 * DAY, now, 10],
      [now - HOUR, now, 1],
      [now - HOUR, now, 1e9],
    ] as const)
      await expect(of(from, to, points)).rejects.toMatchObject({ code: 'bad-request' });
  });
});

describe('environments side by side', () => {
  test('tell what differs by names alone', async () => {
    const secrets: Record<string, string[]> = { staging: ['TOKEN', 'EXTRA'], production: ['TOKEN'] };
    served.world.secrets.list = async ({ environment }) =>
      (secrets[environment] ?? []).map((name) => ({ name, version: 'v', updatedAt: 1, setBy: null }));
    await served.serve(
      projectIn(
        'staging',
        [
          quick('api', {
            env: { URL: ['http://hunter2-staging'], MODE: ['on'] },
            resources: { memory: 1024, cpu: null },
          }),
          quick('new'),
        ],
        { port: 8081 },
      ),
      'v2',
    );
    await served.serve(
      projectIn('production', [
        quick('api', { env: { URL: ['http://hunter2-production'], KEY: [{ secret: 'TOKEN' }] } }),
      ]),
      'v1',
    );
    const { client } = served;
    const comparison = await client.compareEnvironments({ project: 'shop', environments: 'staging,production' });
    expect(comparison).toMatchObject({
      environments: ['staging', 'production'],
      secrets: [
        { name: 'EXTRA', set: [true, false] },
        { name: 'TOKEN', set: [true, true] },
      ],
    });
    expect(comparison.services.map(({ service }) => service)).toEqual(['api', 'new']);
    expect(comparison.services[0]).toMatchObject({
      sides: [
        { release: 'api@1', label: 'v2', commit: 'c0ffee' },
        { release: 'api@2', label: 'v1' },
      ],
      sameArtifact: false,
      sameConfig: false,
      config: [
        { added: [], removed: [], changed: [] },
        { added: ['env.KEY'], removed: ['env.MODE', 'resources.memory'], changed: ['env.URL'] },
      ],
    });
    expect(comparison.services[1]).toMatchObject({ sides: [{ release: 'new@1' }, null], sameConfig: false });
    expect(JSON.stringify(comparison)).not.toContain('hunter2');
    for (const environments of ['staging', 'staging,staging', 'staging,'])
      await expect(client.compareEnvironments({ project: 'shop', environments })).rejects.toMatchObject({
        code: 'bad-request',
      });

    const { compareEnvironments } = comparisonHandlers(served.deps);
    const asked = { project: 'shop', environments: 'staging,production' };
    await expect(compareEnvironments(asked, callOf('environment:read'))).rejects.toMatchObject({
      code: 'environment-unknown',
    });
    const everywhere = callOfWhoMay((permission) => permission === 'environment:read');
    expect((await compareEnvironments(asked, everywhere)).secrets).toBeNull();
  });
});

test('a release tells what changed in it against what served before', async () => {
  const { client, world } = served;
  const windowed = { rollout: policy({ drainMs: 10, rollbackWindowMs: HOUR }) };
  await served.serve(
    projectIn('production', [quick('api', { env: { OLD: ['hunter2'], MODE: ['a'] }, ...windowed })]),
    'v1',
  );
  world.builder.sourceInfo = async (_root, label) => ({ commit: 'beef', dirty: true, label });
  const second = await served.serve(
    projectIn('production', [quick('api', { env: { MODE: ['b'], NEW: ['hunter3'] }, instances: 2, ...windowed })]),
    'v2',
  );
  const release = await client.getRelease({ ...PRODUCTION, release: 'api@2' });
  expect(release).toMatchObject({
    release: 'api@2',
    commit: 'beef',
    dirty: true,
    state: 'current',
    against: { release: 'api@1', label: 'v1', commit: 'c0ffee' },
    sameArtifact: false,
    config: { added: ['env.NEW'], removed: ['env.OLD'], changed: ['env.MODE', 'instances'] },
    secrets: [],
    rollouts: [{ id: second, kind: 'deploy', by: 'operator' }],
  });
  expect(JSON.stringify(release)).not.toContain('hunter');
  expect(await client.getRelease({ ...PRODUCTION, release: 'api@1' })).toMatchObject({
    against: null,
    state: 'former',
  });
  const back = await client.getRelease({ ...PRODUCTION, release: 'api@1', against: 'api@2' });
  expect(back.config).toEqual({ added: ['env.OLD'], removed: ['env.NEW'], changed: ['env.MODE', 'instances'] });
  for (const [environment, name] of [
    ['production', 'api@9'],
    ['staging', 'api@1'],
  ] as const)
    await expect(client.getRelease({ project: 'shop', environment, release: name })).rejects.toMatchObject({
      code: 'release-unknown',
    });
});
