import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { stringify } from 'yaml';

import { readProject } from '../../src/config/load-project.ts';
import type { Project } from '../../src/domain/project/project.ts';
import { desiredOf } from '../../src/domain/cloud/desired.ts';
import { wavesOf } from '../../src/domain/cloud/order.ts';
import { onCloudRun } from '../../src/domain/cloud/run/on-cloud-run.ts';
import { revisionTemplate } from '../../src/domain/cloud/run/template.ts';
import { cloudVariables, mixesSecret } from '../../src/domain/cloud/variables.ts';
import { name } from '../support/cloud/arbitrary-config.ts';

const RUNS = Number(process.env['EVENKEEL_PROPERTY_RUNS'] ?? 60);

/** Files of which some or all is in the cloud, as people might write them. */

const flag = fc.boolean();
const some = <T extends object>(shape: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record(shape, { requiredKeys: [] });
const maps = <T>(inner: fc.Arbitrary<T>, maxLength: number): fc.Arbitrary<Record<string, T>> =>
  fc
    .uniqueArray(fc.tuple(name, inner), { maxLength, selector: ([key]) => key })
    .map((entries): Record<string, T> => Object.fromEntries(entries));

const service = fc.record({
  cloud: some({
    database: flag,
    concurrency: fc.integer({ min: 1, max: 1000 }),
    port: fc.integer({ min: 1, max: 65_535 }),
    timeout: fc.constantFrom('1s', '5m', '1h'),
    resources: fc.constantFrom({ memory: '512Mi' }, { memory: '2Gi', cpu: 2 }, { cpu: 1 }),
    instances: fc.constantFrom(3, { min: 0, max: 4 }, { min: 2, max: 2 }),
    health: fc.constant('/health'),
  }),
  routed: flag,
  env: fc.uniqueArray(fc.constantFrom('PLAIN', 'KEY', 'BASE'), { maxLength: 3 }),
});

const database = some({
  version: fc.integer({ min: 15, max: 18 }),
  size: fc.constantFrom('10Gi', '50G', '1Ti'),
  extensions: fc.constantFrom<string | string[]>('vector', ['vector', 'pg_trgm']),
  highAvailability: flag,
  maxConnections: fc.integer({ min: 10, max: 1000 }),
  backups: some({
    start: fc.constantFrom('03:00', '23:59'),
    keep: fc.integer({ min: 1, max: 365 }),
    pointInTime: flag,
  }),
});
const bucket = fc.option(
  some({
    public: flag,
    versioning: flag,
    expire: fc.constantFrom<string | object>('1d', '30d', { after: '7d', prefixes: ['tmp/'] }),
  }),
);

const file = fc
  .record({
    services: maps(service, 4).filter((all) => Object.keys(all).length > 0),
    database: fc.option(database),
    buckets: maps(bucket, 3),
    secrets: fc.constantFrom<string[] | object>(
      ['SECRET_WORD'],
      { SECRET_WORD: { cloud: 'word-${env}' } },
      { SECRET_WORD: null },
    ),
    cloud: some({
      labels: fc.constant({ team: 'web' }),
      network: fc.constantFrom<string | object>('default', { name: 'default', egress: 'connector' }),
      budget: fc.constantFrom<string | object>('50 EUR', { amount: 20, currency: 'USD', alerts: [50] }),
      logs: some({ keep: fc.constantFrom('1d', '90d'), audit: flag }),
    }),
  })
  .map(({ services, database: main, buckets, secrets, cloud }) => ({
    project: 'shop',
    cloud: { project: 'shop-4711', region: 'europe-west1', ...cloud },
    services: Object.fromEntries(
      Object.entries(services).map(([key, { cloud: keys, routed, env }]) => {
        const values = { PLAIN: `of ${key}`, KEY: '${SECRET_WORD}', BASE: '${SHARED}' };
        return [
          key,
          {
            run: `node ${key}.js`,
            // Without either it would be a worker, which Cloud Run has no place for.
            ...(routed ? { routes: [`/${key}`] } : { health: '/health' }),
            ...keys,
            env: Object.fromEntries(env.map((each) => [each, values[each]])),
          },
        ];
      }),
    ),
    ...(main === null ? {} : { databases: { main } }),
    buckets,
    secrets,
    environments: { staging: { runtime: 'cloud-run' }, production: { runtime: 'cloud-run' } },
  }));

const load = (text: string, environment: string) =>
  readProject(text, '/nonexistent', { environment, processEnv: { SHARED: 'shared', HOME: '/home' } });

async function projectOf(
  written: object,
  environment: string,
): Promise<Project & { cloud: NonNullable<Project['cloud']> }> {
  const result = await load(stringify(written), environment);
  if (!result.ok) throw new Error(`${JSON.stringify(result.problems, null, 1)}\n${stringify(written)}`);
  const { cloud } = result.project;
  if (cloud === undefined) throw new Error('nothing in the cloud');
  return { ...result.project, cloud };
}

test('properties 2, 3, 5, 15: everything that a file names is asked for, in its region, in an order that can be', async () => {
  await fc.assert(
    fc.asyncProperty(file, fc.constantFrom('development', 'staging', 'production'), async (written, environment) => {
      const { cloud } = await projectOf(written, environment);
      const all = desiredOf(cloud, { project: 'shop', environment, projectNumber: '1' });
      const names = (kind: string) => all.filter((each) => each.kind === kind).map((each) => each.name);
      expect(names('bucket')).toHaveLength(Object.keys(written.buckets).length);
      expect(names('secret').length).toBe('databases' in written ? 3 : 1);
      expect(names('sql-instance')).toHaveLength('databases' in written ? 1 : 0);
      expect(names('service')).toHaveLength(environment === 'development' ? 0 : Object.keys(written.services).length);
      expect(all.every(({ location }) => location === null || location === 'europe-west1')).toBe(true);
      expect(all.every(({ labels }) => labels['evenkeel-environment'] === environment)).toBe(true);
      expect(wavesOf(all).flat()).toHaveLength(all.length);
    }),
    { numRuns: RUNS },
  );
});

test('properties 6, 7, 8: every database is new enough, fits its environment, and is backed up', async () => {
  await fc.assert(
    fc.asyncProperty(file, fc.constantFrom('development', 'staging', 'production'), async (written, environment) => {
      const { cloud } = await projectOf(written, environment);
      if (cloud.database === null) return;
      const own: { backups?: { keep?: number; pointInTime?: boolean } } = written.databases?.main ?? {};
      const { version, tier, backupStart, backupsKept, pointInTime } = cloud.database;
      const careful = environment === 'production';
      expect(version).toBeGreaterThanOrEqual(15);
      expect(tier).toBe(careful ? 'db-custom-1-3840' : 'db-f1-micro');
      expect(backupStart).toMatch(/^\d\d:\d\d$/);
      expect(backupsKept).toBe(own.backups?.keep ?? (careful ? 30 : 7));
      expect(pointInTime).toBe(own.backups?.pointInTime ?? careful);
    }),
    { numRuns: RUNS },
  );
});

test('properties 9, 16, 17, 18, 23: services find all that they need, and secrets by reference alone', async () => {
  await fc.assert(
    fc.asyncProperty(file, async (written) => {
      const { cloud } = await projectOf(written, 'production');
      for (const service of cloud.services) {
        const own = written.services[service.service] as { env: Record<string, string>; database?: boolean };
        expect(Object.values(service.env).some(mixesSecret)).toBe(false);
        const { variables, unknown } = cloudVariables(cloud, service, (asked) => `https://${asked}`);
        expect(unknown).toEqual([]);
        const value = (key: string) => {
          const found = variables.find((each) => each.name === key);
          return found === undefined ? undefined : 'value' in found ? found.value : { secret: found.secret };
        };
        expect(value('PLAIN')).toBe(own.env['PLAIN']);
        expect(value('BASE')).toBe('BASE' in own.env ? 'shared' : undefined);
        if ('KEY' in own.env) expect(value('KEY')).toHaveProperty('secret');
        for (const other of cloud.services.filter((each) => each !== service))
          expect(value(other.urlVariable)).toBe(`https://${other.service}`);
        const uses = 'databases' in written && own.database !== false;
        expect(service.database).toBe(uses);
        expect(value('DATABASE_HOST')).toBe(uses ? '/cloudsql/shop-4711:europe-west1:shop-production-main' : undefined);
        expect(typeof value('DATABASE_PASSWORD')).toBe(uses ? 'object' : 'undefined');
        expect(typeof value('DATABASE_URL')).toBe(uses ? 'object' : 'undefined');
      }
    }),
    { numRuns: RUNS },
  );
});

test('properties 9, 16 to 20, 23: what a file declares is in the revision that Cloud Run is asked for', async () => {
  await fc.assert(
    fc.asyncProperty(file, async (written) => {
      const project = onCloudRun(await projectOf(written, 'production'));
      for (const { name: service, cloud } of project.services) {
        if (cloud === undefined) throw new Error(`${service} is not in the cloud`);
        const own = written.services[service] as { env: Record<string, string>; database?: boolean; port?: number };
        const made = { image: 'image', urlOf: (asked: string) => `https://${asked}` };
        const of = { revision: 'r', project: 'shop', environment: 'production', service, release: 'r@1', id: 'i' };
        const template = revisionTemplate(cloud, made, of);
        const [container] = template.containers;
        if (container === undefined) throw new Error('no container');
        const env = new Map(container.env?.map((each) => [each.name, each]));
        // Every variable is there once, has a value or a reference and never both, and no value is a secret's.
        expect(env.size).toBe(container.env?.length);
        for (const { value, valueSource } of env.values()) expect(value === undefined).toBe(valueSource !== undefined);
        if ('PLAIN' in own.env) expect(env.get('PLAIN')?.value).toBe(`of ${service}`);
        if ('BASE' in own.env) expect(env.get('BASE')?.value).toBe('shared');
        if ('KEY' in own.env) expect(env.get('KEY')?.valueSource?.secretKeyRef).toMatchObject({ version: 'latest' });
        for (const other of project.cloud?.services.filter((each) => each.service !== service) ?? [])
          expect(env.get(other.urlVariable)?.value).toBe(`https://${other.service}`);
        const uses = 'databases' in written && own.database !== false;
        const socket = 'shop-4711:europe-west1:shop-production-main';
        expect(template.volumes?.[0]?.cloudSqlInstance?.instances ?? []).toEqual(uses ? [socket] : []);
        expect(container.volumeMounts?.map(({ mountPath }) => mountPath) ?? []).toEqual(uses ? ['/cloudsql'] : []);
        expect(env.get('DATABASE_HOST')?.value).toBe(uses ? `/cloudsql/${socket}` : undefined);
        for (const key of ['DATABASE_PASSWORD', 'DATABASE_URL'])
          expect(env.get(key)?.valueSource === undefined).toBe(!uses);
        const declared = project.cloud?.services.find((each) => each.service === service);
        expect(template).toMatchObject({
          scaling: { minInstanceCount: declared?.minInstances, maxInstanceCount: declared?.maxInstances },
          timeout: `${declared?.timeoutS}s`,
          maxInstanceRequestConcurrency: declared?.concurrency,
          containers: [
            {
              ports: [{ containerPort: own.port ?? 8080 }],
              resources: { limits: { cpu: `${declared?.cpu}`, memory: `${(declared?.memory ?? 0) / 2 ** 20}Mi` } },
            },
          ],
        });
      }
    }),
    { numRuns: RUNS },
  );
});

test('properties 19, 20, 21: limits, scaling and openness are as declared', async () => {
  await fc.assert(
    fc.asyncProperty(file, async (written) => {
      const { cloud } = await projectOf(written, 'staging');
      for (const service of cloud.services) {
        const own = written.services[service.service] as {
          routes?: string[];
          instances?: number | { min: number; max: number };
          port?: number;
        };
        const range = typeof own.instances === 'number' ? { min: own.instances, max: own.instances } : own.instances;
        expect([service.minInstances, service.maxInstances]).toEqual([range?.min ?? 0, range?.max ?? 10]);
        expect(service.public).toBe(own.routes !== undefined);
        expect(service.port).toBe(own.port ?? 8080);
      }
    }),
    { numRuns: RUNS },
  );
});

test('property 28: whatever is taken out of a file or put in its place, it is a project or problems with places', async () => {
  const wild = fc.oneof(
    fc.constant(null),
    fc.string(),
    fc.integer(),
    fc.boolean(),
    fc.constant([]),
    fc.constant({}),
    fc.constant('${NOPE}'),
  );
  await fc.assert(
    fc.asyncProperty(
      file,
      fc.nat(),
      wild,
      fc.constantFrom('development', 'production'),
      async (written, at, value, environment) => {
        const copy = structuredClone(written) as Record<string, unknown>;
        const places: [Record<string, unknown>, string][] = [];
        const visit = (inside: unknown): void => {
          if (typeof inside !== 'object' || inside === null) return;
          for (const [key, inner] of Object.entries(inside)) {
            places.push([inside as Record<string, unknown>, key]);
            visit(inner);
          }
        };
        visit(copy);
        const [inside, key] = places[at % places.length] ?? [copy, 'cloud'];
        inside[key] = value;
        const result = await load(stringify(copy), environment);
        if (result.ok) return;
        expect(result.problems.length).toBeGreaterThan(0);
        for (const problem of result.problems) expect(problem.line).toBeGreaterThan(0);
      },
    ),
    { numRuns: RUNS * 3 },
  );
});
