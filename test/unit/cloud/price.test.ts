import { DEFAULT_UPTIME_PERIOD_S } from '../../../src/domain/cloud/defaults.ts';
import { expect, test } from 'vitest';
import { compareBudget, formatPrice } from '../../../src/domain/cloud/price/cost.ts';
import { estimate } from '../../../src/domain/cloud/price/estimate.ts';
import { priceOf } from '../../../src/domain/cloud/price/price.ts';
import { machineOf } from '../../../src/domain/cloud/price/sql-price.ts';
import type { AttributesByKind, Desired, Kind, Observed } from '../../../src/domain/cloud/resource.ts';

const desired = <K extends Kind>(kind: K, attributes: AttributesByKind[K], name = 'x'): Desired =>
  ({ kind, name, location: null, labels: {}, needs: [], attributes }) as unknown as Desired;

const sql = (more: Partial<AttributesByKind['sql-instance']> = {}): Desired =>
  desired('sql-instance', {
    version: 'POSTGRES_15',
    tier: 'db-f1-micro',
    availability: 'ZONAL',
    storageType: 'SSD',
    storageGb: 10,
    autoIncrease: true,
    backupStart: '03:00',
    backupsKept: 7,
    pointInTime: false,
    maintenance: { day: 7, hour: 3 },
    flags: {},
    publicAddress: true,
    network: null,
    deletionProtection: false,
    ...more,
  });

const service = (more: Partial<AttributesByKind['service']> = {}, name = 'api'): Desired =>
  desired(
    'service',
    {
      image: null,
      memory: 512 * 2 ** 20,
      cpu: 1,
      minInstances: 0,
      maxInstances: 10,
      timeoutS: 300,
      public: true,
      account: 'run',
      sql: null,
      ...more,
    },
    name,
  );

const iowa = 'us-central1';

test('a small database costs its machine, its storage, and up to a full backup', () => {
  const price = priceOf(sql(), iowa);
  expect(price.low).toBeCloseTo(0.0105 * 730 + 10 * 0.17, 6);
  expect(price.high).toBeCloseTo(0.0105 * 730 + 10 * 0.17 + 10 * 0.08, 6);
  expect(price.basis).toBe('db-f1-micro at about $7.67, 10 GB SSD at about $0.17, backups up to $0.80');
  expect(price.leavesOut).toContain('storage that it adds by itself');
});

test('the default of production is priced by cores and memory; a second zone doubles it, not its backups', () => {
  const one = priceOf(sql({ tier: 'db-custom-1-3840', storageGb: 20 }), iowa);
  expect(one.low).toBeCloseTo((0.0413 + 3.75 * 0.007) * 730 + 20 * 0.17, 6);
  const two = priceOf(sql({ tier: 'db-custom-1-3840', storageGb: 20, availability: 'REGIONAL' }), iowa);
  expect(two.low).toBeCloseTo(2 * one.low, 6);
  expect((two.high ?? 0) - two.low).toBeCloseTo((one.high ?? 0) - one.low, 6);
  expect(two.basis).toContain('twice, for two zones');
});

test('tiers are read as Google writes them', () => {
  expect(machineOf('db-custom-4-15360')).toEqual({ shared: null, cpu: 4, memoryGb: 15, edition: 'enterprise' });
  expect(machineOf('db-perf-optimized-N-4')).toEqual({ shared: null, cpu: 4, memoryGb: 32, edition: 'enterprisePlus' });
  expect(machineOf('db-f1-micro')).toEqual({ shared: 'db-f1-micro' });
  expect(machineOf('db-new-thing')).toBeNull();
});

test('a tier that is not known is said to be so, instead of a figure', () => {
  const price = priceOf(sql({ tier: 'db-new-thing' }), iowa);
  expect(price.high).toBeNull();
  expect(price.basis).toContain('not known here');
  expect(formatPrice(price)).toBe('at least $1.70');
});

test('one that is stopped still costs its storage and its address', () => {
  const stopped = { ...sql(), state: 'stopped', createdAt: null } as unknown as Observed;
  expect(priceOf(stopped, iowa).low).toBeCloseTo(1.7 + 7.3, 6);
  expect(priceOf(stopped, iowa).basis).toContain('stopped');
});

test('a service without warm instances costs nothing as long as nobody asks, and says what was assumed', () => {
  const price = priceOf(service(), iowa);
  expect(price.low).toBe(0);
  // A million requests of 200 ms, two at once: 100,000 instance seconds.
  expect(price.high).toBeCloseTo(100_000 * (0.000024 + 0.5 * 0.0000025) + 0.4, 6);
  expect(price.basis).toBe('no instance kept warm; from no request to 1 million of 200 ms, 2 at once');
  expect(price.leavesOut).toContain('with all 10 instances busy all month');
});

test('a warm instance costs the smaller price while it waits', () => {
  const price = priceOf(service({ minInstances: 1 }), iowa);
  expect(price.low).toBeCloseTo(730 * 3600 * (0.0000025 + 0.5 * 0.0000025), 6);
});

test('what a region costs is a range where it is not known exactly, and said where it is not known at all', () => {
  const frankfurt = priceOf(sql(), 'europe-west3');
  expect(frankfurt.low).toBeGreaterThan(priceOf(sql(), iowa).low);
  const nowhere = priceOf(sql(), 'moon-west1');
  expect(nowhere.basis).toContain('prices of moon-west1 are not known here');
  expect(nowhere.low).toBeCloseTo(priceOf(sql(), iowa).low, 6);
});

test('checks of the project’s own allowance are free, and those beyond are not', () => {
  const check = (name: string) => desired('uptime-check', { host: 'h', path: '/', periodS: 60 }, name);
  const three = estimate(['a', 'b', 'c'].map(check), iowa);
  expect(three.total).toEqual({ low: 0, high: 0 });
  const forty = estimate(
    Array.from({ length: 40 }, (_, index) => check(`c${index}`)),
    iowa,
  );
  expect(forty.total.low).toBeCloseTo((40 * 262_800 - 1_000_000) * 0.0003, 4);
  expect(forty.total.high).toBeCloseTo(forty.total.low, 6);
});

test('looks from outside at a dozen services cost nothing by default', () => {
  const checks = Array.from({ length: 12 }, (_, index) =>
    desired('uptime-check', { host: 'h', path: '/', periodS: DEFAULT_UPTIME_PERIOD_S }, `c${index}`),
  );
  expect(estimate(checks, iowa).total).toEqual({ low: 0, high: 0 });
});

test('prices read as people write them', () => {
  expect(formatPrice({ low: 0, high: 0 })).toBe('free');
  expect(formatPrice({ low: 1234.5, high: 1234.5 })).toBe('$1,234.50');
  expect(formatPrice({ low: 0, high: null })).toBe('not known');
  expect(formatPrice({ low: 2, high: 3 })).toBe('$2.00 to 3.00');
});

const budget = { amount: 100, currency: 'USD', thresholds: [0.5, 0.9, 1] };
const spent = (total: number, currency = 'USD') => ({ total, currency });
const expected = { low: 10, high: 20 };

test.each([
  [49.99, 'within', null],
  [50, 'near', 0.5],
  [90, 'near', 0.9],
  [100, 'over', 1],
  [250, 'over', 1],
])('of a budget of 100, %d spent is %s', (total, level, reached) => {
  const state = compareBudget(budget, { spent: spent(total), expected, elapsed: 1 });
  expect([state.level, state.reached]).toEqual([level, reached]);
});

test('a month that goes on like this is seen before it is over', () => {
  const state = compareBudget(budget, { spent: spent(40), expected, elapsed: 0.25 });
  expect(state).toMatchObject({ level: 'near', reached: null, forecast: 160 });
  expect(state.reason).toBe('$40.00 of $100.00 spent (40 %), about $160.00 by the end of the month');
  expect(compareBudget(budget, { spent: spent(4), expected, elapsed: 0.01 }).forecast).toBeNull();
});

test('what is not known is said to be so, never taken for nothing', () => {
  expect(compareBudget(budget, { spent: null, expected, elapsed: 0.5 })).toMatchObject({
    level: 'unknown',
    reason: 'what was spent is not known; the estimate, $10.00 to 20.00, is within the budget of $100.00',
  });
  expect(compareBudget(budget, { spent: spent(999, 'EUR'), expected, elapsed: 0.5 }).level).toBe('unknown');
  const more = compareBudget(budget, { spent: null, expected: { low: 10, high: null }, elapsed: 0 });
  expect(more.reason).toContain('may be over');
});
