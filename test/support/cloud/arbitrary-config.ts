import * as fc from 'fast-check';

import type { CloudBucket, CloudConfig, CloudDatabase, CloudService } from '../../../src/domain/cloud/config.ts';
import { DEFAULT_ROLES } from '../../../src/domain/cloud/defaults.ts';
import type { Desired, Observed } from '../../../src/domain/cloud/resource.ts';

/** Configurations of the cloud as `config` makes them, at random. */

export const name = fc.stringMatching(/^[a-z][a-z0-9]{0,6}(-[a-z0-9]{1,4})?$/);
const flag = fc.boolean();

const bucket = (key: string): fc.Arbitrary<CloudBucket> =>
  fc.record({
    key: fc.constant(key),
    name: fc.constant(`files-${key}`),
    public: flag,
    versioning: flag,
    expire: fc.option(
      fc.record({ days: fc.integer({ min: 1, max: 400 }), prefixes: fc.uniqueArray(name, { maxLength: 3 }) }),
    ),
  });

const database: fc.Arbitrary<CloudDatabase> = fc.record({
  key: fc.constantFrom('main', 'reports'),
  instance: fc.constant('db'),
  version: fc.integer({ min: 15, max: 18 }),
  tier: fc.constantFrom('db-f1-micro', 'db-custom-1-3840'),
  highAvailability: flag,
  storageGb: fc.integer({ min: 10, max: 500 }),
  storageType: fc.constantFrom('SSD' as const, 'HDD' as const),
  autoIncrease: flag,
  backupStart: fc.constantFrom('03:00', '23:30'),
  backupsKept: fc.integer({ min: 1, max: 365 }),
  pointInTime: flag,
  maintenance: fc.record({ day: fc.integer({ min: 1, max: 7 }), hour: fc.integer({ min: 0, max: 23 }) }),
  maxConnections: fc.option(fc.integer({ min: 10, max: 1000 })),
  extensions: fc.uniqueArray(fc.constantFrom('vector', 'pg_trgm', 'postgis')),
  name: fc.constant('shop'),
  user: fc.constant('app'),
  passwordSecret: fc.constant('database-password'),
  urlSecret: fc.constant('database-url'),
  deletionProtection: flag,
});

const service = (key: string): fc.Arbitrary<CloudService> =>
  fc.record({
    service: fc.constant(key),
    name: fc.constant(`run-${key}`),
    public: flag,
    database: flag,
    port: fc.constant(8080),
    memory: fc.constantFrom(512 * 2 ** 20, 2 ** 30),
    cpu: fc.constantFrom(0.5, 1, 2),
    minInstances: fc.integer({ min: 0, max: 3 }),
    maxInstances: fc.integer({ min: 3, max: 20 }),
    timeoutS: fc.integer({ min: 1, max: 3600 }),
    concurrency: fc.integer({ min: 1, max: 1000 }),
    health: fc.constantFrom(null, '/health'),
    dockerfile: fc.constant('Dockerfile'),
    context: fc.constant('.'),
    image: fc.constantFrom(null, 'docker.io/library/nginx'),
    env: fc.constant({ LEVEL: ['info'] }),
    urlVariable: fc.constant(`${key.toUpperCase().replaceAll('-', '_')}_URL`),
  });

const several = <T>(of: (key: string) => fc.Arbitrary<T>, maxLength: number): fc.Arbitrary<T[]> =>
  fc.uniqueArray(name, { maxLength }).chain((keys) => fc.tuple(...keys.map(of)));

export const cloudConfig: fc.Arbitrary<CloudConfig> = fc
  .record({
    network: fc.option(
      fc.record({
        name: fc.constant('default'),
        egress: fc.constantFrom('direct' as const, 'connector' as const),
        range: fc.constantFrom('10.8.0.0/28', '10.9.0.0/28'),
      }),
    ),
    keepVersions: fc.integer({ min: 1, max: 20 }),
    apis: fc.uniqueArray(fc.constantFrom('pubsub.googleapis.com', 'run.googleapis.com')),
    labels: fc.dictionary(name, name, { maxKeys: 2 }),
    database: fc.option(database),
    buckets: several(bucket, 5),
    secrets: fc.uniqueArray(name, { maxLength: 4 }),
    budget: fc.option(
      fc.record({
        amount: fc.integer({ min: 1, max: 1000 }),
        currency: fc.constantFrom('EUR', 'USD'),
        thresholds: fc.constant<number[]>([0.5, 0.9, 1]),
      }),
    ),
    billingExport: fc.constantFrom(null, 'shop-billing.costs.gcp_billing_export_v1_0A1B2C_3D4E5F_6A7B8C'),
    logDays: fc.integer({ min: 1, max: 400 }),
    auditLogs: flag,
    services: several(service, 5),
  })
  .map(({ keepVersions, secrets, ...rest }) => ({
    provider: 'google',
    project: 'shop-4711',
    region: 'europe-west1',
    account: { name: 'shop-run', roles: [...DEFAULT_ROLES], keyFile: null },
    repository: { name: 'shop', keepVersions },
    runsServices: rest.services.length > 0,
    urlFile: null,
    alerts: { emails: ['ops@example.com', 'a@b.example'], everyS: 300 },
    ...rest,
    secrets: [
      ...secrets.map((id) => ({ variable: id.toUpperCase(), id })),
      ...(rest.database === null
        ? []
        : [
            { variable: 'DATABASE_PASSWORD', id: rest.database.passwordSecret },
            { variable: 'DATABASE_URL', id: rest.database.urlSecret },
          ]),
    ],
  }));

export const SETTING = { project: 'shop', environment: 'production', projectNumber: '4711' };

/** What is there once it was made as desired. */
export const made = (desired: Desired): Observed => {
  const { needs: _, ...resource } = desired;
  return { ...resource, state: 'ready', createdAt: 0, ...(resource.kind === 'secret' ? { hasValue: true } : {}) };
};
