import { setTimeout as sleep } from 'node:timers/promises';
import * as fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import type { CloudConfig } from '../../src/domain/cloud/config.ts';
import type { Desired, Kind } from '../../src/domain/cloud/resource.ts';
import type { PlannedFault } from '../../src/emulator/core/faults.ts';
import { objectAt } from '../../src/emulator/json.ts';
import { ask, emulated, endEmulators } from '../emulator/emulated.ts';
import { CONFIG, DATABASE, desiredFor, driverAt, seen, setUp } from '../support/google.ts';

afterEach(endEmulators);

type Driver = Awaited<ReturnType<typeof driverAt>>['cloud'];

/** All that was made, without what differs from one run to the next: times, and names that Google gives. */
async function stateOf(cloud: Driver, desired: readonly Desired[]): Promise<unknown[]> {
  const kinds = [...new Set(desired.map(({ kind }) => kind))].filter((kind): kind is Kind => kind !== 'service');
  const all = await seen(cloud, ...kinds);
  return all
    .map(({ kind, name, attributes, labels, state, hasValue }) => ({ kind, name, attributes, labels, state, hasValue }))
    .toSorted((a, b) => (`${a.kind}/${a.name}` < `${b.kind}/${b.name}` ? -1 : 1));
}

const configs: fc.Arbitrary<CloudConfig> = fc
  .record({
    buckets: fc.uniqueArray(fc.constantFrom(...CONFIG.buckets), { selector: ({ key }) => key }),
    expire: fc.option(fc.record({ days: fc.integer({ min: 1, max: 90 }), prefixes: fc.subarray(['tmp/', 'a/b/']) }), {
      nil: null,
    }),
    roles: fc.subarray([
      'roles/cloudsql.client',
      'roles/storage.objectAdmin',
      'roles/secretmanager.secretAccessor',
      'roles/run.invoker',
    ]),
    auditLogs: fc.boolean(),
    logDays: fc.integer({ min: 1, max: 365 }),
    budget: fc.option(fc.constant(CONFIG.budget), { nil: null }),
    connector: fc.boolean(),
    database: fc.option(fc.constant(DATABASE), { nil: null }),
  })
  .map(({ buckets, expire, roles, auditLogs, logDays, budget, connector, database }) => ({
    ...CONFIG,
    buckets: buckets.map((bucket) => ({ ...bucket, expire })),
    account: { ...CONFIG.account, roles },
    auditLogs,
    logDays,
    budget,
    network: connector ? CONFIG.network : null,
    database,
    secrets:
      database === null
        ? CONFIG.secrets
        : [DATABASE.passwordSecret, DATABASE.urlSecret].map((id) => ({ variable: id, id })),
  }));

const faults: fc.Arbitrary<PlannedFault> = fc.oneof(
  // From then on nothing works any more, as when the network is away or the process is killed.
  fc.record({
    method: fc.constant('*'),
    nth: fc.integer({ min: 1, max: 60 }),
    times: fc.constant(0),
    do: fc.constant('cut' as const),
    when: fc.constantFrom('before' as const, 'after' as const),
  }),
  fc.record({
    method: fc.constant('*'),
    nth: fc.integer({ min: 1, max: 60 }),
    times: fc.integer({ min: 1, max: 3 }),
    do: fc.constant('cut' as const),
    when: fc.constant('after' as const),
  }),
  fc.record({
    method: fc.constant('*'),
    nth: fc.integer({ min: 1, max: 60 }),
    times: fc.integer({ min: 1, max: 3 }),
    do: fc.constant('fail' as const),
    status: fc.constantFrom(
      'UNAVAILABLE' as const,
      'INTERNAL' as const,
      'ABORTED' as const,
      'PERMISSION_DENIED' as const,
    ),
  }),
  fc.record({
    method: fc.constantFrom('*.create', '*.enable', '*.databases.insert', '*.users.insert'),
    nth: fc.integer({ min: 1, max: 10 }),
    do: fc.constant('fail-operation' as const),
    status: fc.constant('INTERNAL' as const),
  }),
);

describe('histories of set-ups', () => {
  test('interrupted at any call and run again, a set-up ends in the same state', { timeout: 240_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(configs, faults, async (config, fault) => {
        const desired = desiredFor(config);
        const [calm, stormy] = [await emulated(), await emulated()];
        const { cloud: before } = await driverAt(calm, config);
        await setUp(before, desired);
        stormy.world.faults.plan(fault);
        const { cloud: first } = await driverAt(stormy, config);
        await setUp(first, desired).catch(() => null);
        stormy.world.faults.clear();
        // Another process: it knows nothing of the first.
        const { cloud: second } = await driverAt(stormy, config);
        await setUp(second, desired);
        expect(await stateOf(second, desired)).toEqual(await stateOf(before, desired));
        expect(await setUp(second, desired)).toEqual([]);
        await endEmulators();
      }),
      { numRuns: 12 },
    );
  });

  test('two set-ups at once do no harm', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(configs, async (config) => {
        const desired = desiredFor(config);
        const emulator = await emulated();
        const drivers = await Promise.all([driverAt(emulator, config), driverAt(emulator, config)]);
        await Promise.allSettled(drivers.map(({ cloud }) => setUp(cloud, desired)));
        const { cloud } = await driverAt(emulator, config);
        await setUp(cloud, desired);
        expect(await setUp(cloud, desired)).toEqual([]);
        const names = (await stateOf(cloud, desired)).map((one) => JSON.stringify(one));
        expect(new Set(names).size).toBe(names.length);
        await endEmulators();
      }),
      { numRuns: 5 },
    );
  });

  test(
    'property 2, 3, 15: every declared bucket is there, in the region, with its rule',
    { timeout: 60_000 },
    async () => {
      await fc.assert(
        fc.asyncProperty(configs, async (config) => {
          const emulator = await emulated();
          const { cloud } = await driverAt(emulator);
          await setUp(cloud, desiredFor(config));
          for (const { name, expire, versioning, public: open } of config.buckets) {
            const { body } = await ask(emulator, 'GET', 'storage', `/storage/v1/b/${name}`);
            expect(body).toMatchObject({
              location: config.region.toUpperCase(),
              versioning: { enabled: versioning },
              iamConfiguration: {
                uniformBucketLevelAccess: { enabled: true },
                publicAccessPrevention: open ? 'inherited' : 'enforced',
              },
            });
            const prefixes = expire === null || expire.prefixes.length === 0 ? {} : { matchesPrefix: expire.prefixes };
            const rule =
              expire === null ? [] : [{ action: { type: 'Delete' }, condition: { age: expire.days, ...prefixes } }];
            expect(body.lifecycle?.rule ?? []).toEqual(rule);
          }
          await endEmulators();
        }),
        { numRuns: 5 },
      );
    },
  );

  test(
    'property 4: an account has all its roles, and no change of others is lost, however they interleave',
    { timeout: 60_000 },
    async () => {
      const member = `serviceAccount:${CONFIG.account.name}@demo-project.iam.gserviceaccount.com`;
      const emulator = await emulated();
      const { cloud } = await driverAt(emulator);
      const policy = async (verb: string, body: object) =>
        await ask(emulator, 'POST', 'cloudresourcemanager', `/v3/projects/demo-project:${verb}`, { body });
      const reads = (): number =>
        Number(objectAt(emulator.world.calls.report(), 'counts')['cloudresourcemanager.projects.getIamPolicy'] ?? 0);
      // Three times somebody else reads and writes between the driver's reading and its writing.
      let added = 0;
      const interfere = async (): Promise<void> => {
        const method = 'cloudresourcemanager.projects.setIamPolicy';
        emulator.world.faults.plan({ method, do: 'slow', ms: 400 });
        const before = reads();
        await expect.poll(reads, { interval: 5, timeout: 20_000 }).toBeGreaterThan(before);
        await sleep(50);
        const { body } = await policy('getIamPolicy', { options: { requestedPolicyVersion: 3 } });
        const bindings = [...body.bindings, { role: 'roles/viewer', members: [`user:u${added}@example.com`] }];
        if ((await policy('setIamPolicy', { policy: { ...body, bindings } })).status === 200) added += 1;
      };
      const others = (async () => {
        // The first reading is the look at what is there.
        await expect.poll(reads, { interval: 5, timeout: 20_000 }).toBeGreaterThan(0);
        for (let times = 0; times < 3; times += 1) await interfere();
      })();
      await Promise.all([
        setUp(cloud, desiredFor({ ...CONFIG, account: { ...CONFIG.account, roles: ROLES } })),
        others,
      ]);
      expect(added).toBe(3);
      const { body } = await policy('getIamPolicy', { options: { requestedPolicyVersion: 3 } });
      const of = (role: string): string[] =>
        body.bindings
          .filter((one: { role: string }) => one.role === role)
          .flatMap((one: { members: string[] }) => one.members);
      for (const role of ROLES) expect(of(role)).toContain(member);
      expect(of('roles/viewer')).toHaveLength(added);
      expect(of('roles/owner')).toEqual(['user:owner@example.com']);
    },
  );
});

const ROLES = [
  'roles/cloudsql.client',
  'roles/storage.objectAdmin',
  'roles/secretmanager.secretAccessor',
  'roles/run.invoker',
];
