import { describe, expect, test } from 'vitest';
import { DEFAULT_MEMORY, type Objectives, objectivesOf } from '../../src/domain/project/objectives.ts';
import { judge, type ServiceSeen } from '../../src/domain/overview/judge.ts';
import { roleOf } from '../../src/domain/overview/role.ts';
import { worstOf, worstSeen } from '../../src/domain/overview/state.ts';
import { tilesOf } from '../../src/domain/overview/tiles.ts';
import { topConsumers } from '../../src/domain/overview/top-consumers.ts';
import { availabilityOf, noTraffic, totalsOf } from '../../src/domain/overview/traffic.ts';

const MiB = 1024 ** 2;
const usual = objectivesOf(undefined, 1000);

const seen = (over: Partial<ServiceSeen> = {}): ServiceSeen => ({
  service: 'picture-api',
  health: 'healthy',
  detail: '2 of 2 healthy',
  requests: 1000,
  bad: 0,
  errorRate: 0,
  p95Ms: 120,
  memory: [],
  availability: 1,
  availabilityMs: 86_400_000,
  ...over,
});
const of = (over: Partial<ServiceSeen>, objectives: Objectives = usual) => judge(seen(over), objectives);

describe('a service', () => {
  test('is as bad as the worst that is seen of it, and says why in words', () => {
    expect(of({})).toMatchObject({ state: 'healthy', warnings: [] });
    const full = of({
      memory: [
        { used: 435 * MiB, limit: 512 * MiB },
        { used: 100 * MiB, limit: 512 * MiB },
      ],
    });
    expect(full.state).toBe('warning');
    expect(full.warnings).toEqual([
      { state: 'warning', aspect: 'memory', text: 'picture-api: memory 85 % of its limit' },
    ]);
    const both = of({ health: 'degraded', detail: '1 of 2 healthy', errorRate: 0.062, bad: 62 });
    expect(both.state).toBe('critical');
    expect(both.warnings.map(({ text }) => text)).toEqual([
      'picture-api: 6.2 % of requests fail, over the objective of 1 %',
      'picture-api: 1 of 2 healthy',
    ]);
    expect(of({ p95Ms: 2100 }).warnings[0]?.text).toBe('picture-api: p95 2.1 s, over the objective of 1 s');
  });

  test.each([
    [{ errorRate: 0.0099 }, 'healthy'],
    [{ errorRate: 0.01 }, 'warning'],
    [{ errorRate: 0.05 }, 'critical'],
    [{ p95Ms: 999 }, 'healthy'],
    [{ p95Ms: 1000 }, 'warning'],
    [{ p95Ms: 2000 }, 'critical'],
    [{ memory: [{ used: 79, limit: 100 }] }, 'healthy'],
    [{ memory: [{ used: 80, limit: 100 }] }, 'warning'],
    [{ memory: [{ used: 95, limit: 100 }] }, 'critical'],
    [{ health: 'down' }, 'critical'],
  ] as const)('with %j is %s by default', (over, state) => {
    expect(of({ ...over, memory: 'memory' in over ? [...over.memory] : [] }).state).toBe(state);
  });

  test('of which nothing is known is unknown, not healthy, and known to be bad all the same', () => {
    const nothing = { requests: 0, errorRate: null, p95Ms: null, availability: null };
    expect(of({ health: 'unknown', ...nothing }).state).toBe('unknown');
    expect(of({ health: 'unknown', ...nothing, memory: [{ used: 96, limit: 100 }] }).state).toBe('critical');
    expect(of({ health: 'stopped', ...nothing }).state).toBe('unknown');
    // Its health was checked; that nobody asked it says nothing.
    expect(of(nothing)).toMatchObject({ state: 'healthy', aspects: { errors: 'unknown', latency: 'unknown' } });
  });

  test('that was asked a few times only is not critical for one accident', () => {
    expect(of({ requests: 3, bad: 1, errorRate: 1 / 3, p95Ms: 5000 }).state).toBe('warning');
    expect(of({ requests: 20, bad: 1, errorRate: 1 / 20 }).state).toBe('critical');
  });

  test('without a limit or an objective is not judged by it', () => {
    const none: Objectives = { errorRate: null, p95Ms: null, memory: null, availability: null };
    const bad = { errorRate: 1, bad: 1000, p95Ms: 60_000, memory: [{ used: 100, limit: 100 }] };
    expect(of(bad, none)).toMatchObject({ state: 'healthy', warnings: [] });
    expect(objectivesOf(undefined, null).p95Ms).toBeNull();
    expect(objectivesOf({ p95Ms: { warning: 1, critical: 2 } }, null).p95Ms).toEqual({ warning: 1, critical: 2 });
    expect(objectivesOf({ memory: null }, 1).memory).toBeNull();
    expect(objectivesOf({ memory: undefined }, 1).memory).toEqual(DEFAULT_MEMORY);
  });

  test('below its availability is a warning with the numbers', () => {
    const wanted = { ...usual, availability: 0.999 };
    const judged = of({ availability: 0.99872 }, wanted);
    expect(judged.state).toBe('warning');
    expect(judged.warnings[0]?.text).toBe('picture-api: 99.872 % available in 1d, objective 99.9 %');
    expect(of({ availability: null }, wanted)).toMatchObject({
      state: 'healthy',
      aspects: { availability: 'unknown' },
    });
  });
});

test('nobody asked is unknown, and not all of it good', () => {
  expect(availabilityOf(0, 0)).toBeNull();
  expect(availabilityOf(1000, 1)).toBe(0.999);
  expect(worstOf([])).toBe('unknown');
  expect(worstOf(['healthy', 'unknown'])).toBe('unknown');
  expect(worstSeen(['healthy', 'unknown', null])).toBe('healthy');
  expect(worstSeen(['unknown'])).toBe('unknown');
});

test('what is not written of a role follows from what a service is', () => {
  expect(roleOf('http', false, undefined)).toBe('backend');
  expect(roleOf('static', false, undefined)).toBe('web');
  expect(roleOf('worker', true, undefined)).toBe('worker');
  expect(roleOf('http', true, undefined)).toBe('worker');
  expect(roleOf('static', false, 'landing')).toBe('landing');
});

describe('tiles', () => {
  const minutes = [
    { totals: null, watched: false, healthy: null },
    { totals: null, watched: true, healthy: 2 },
    { totals: totalsOf([{ requests: 120, bad: 6, ttfb: [100, 120] }]), watched: true, healthy: 1 },
  ];

  test('are as bad as the worst service of all, and tell no request from nothing seen', () => {
    const services = [
      { health: 'healthy', judged: of({}) },
      { health: 'down', judged: of({ health: 'down', errorRate: 0.2, bad: 200 }) },
      { health: 'stopped', judged: of({ health: 'stopped' }) },
    ];
    const recent = totalsOf([{ requests: 2000, bad: 20, ttfb: [100, 2000] }]);
    const tiles = tilesOf({ services, recent, recentMs: 300_000, minutes, watchedNow: true });
    expect(tiles.services).toEqual({ state: 'critical', healthy: 1, total: 2, unknown: 0, points: [null, 2, 1] });
    expect(tiles.rate).toEqual({ state: 'healthy', value: 6.667, points: [null, 0, 2] });
    expect(tiles.errorRate).toEqual({ state: 'critical', value: 0.01, points: [null, null, 0.05] });
    expect(tiles.p95Ms).toMatchObject({ state: 'healthy', points: [null, null, expect.any(Number)] });
  });

  test('of nothing are unknown', () => {
    const recent = noTraffic();
    const tiles = tilesOf({ services: [], recent, recentMs: 300_000, minutes: [], watchedNow: false });
    for (const { state } of Object.values(tiles)) expect(state).toBe('unknown');
    expect(tiles.rate.value).toBeNull();
    expect(tiles.errorRate.value).toBeNull();
  });
});

test('top consumers are those that take most, and not those that were never measured', () => {
  const consumer = (instance: string, cpu: number | null, memory: number | null) => ({
    project: 'p',
    environment: 'e',
    service: 's',
    instance,
    release: 's@1',
    cpu,
    memory,
    cpuLimit: null,
    memoryLimit: null,
  });
  const all = [consumer('a', 0.1, 10), consumer('b', 2, 5), consumer('c', null, 30), consumer('d', 0, null)];
  const top = topConsumers(all, 2);
  expect(top.cpu.map(({ instance }) => instance)).toEqual(['b', 'a']);
  expect(top.memory.map(({ instance }) => instance)).toEqual(['c', 'a']);
});
