import * as fc from 'fast-check';
import type { CloudConfig, CloudService } from '../../../src/domain/cloud/config.ts';
import {
  addressOf,
  type AttributesByKind,
  type Desired,
  type Kind,
  type Labels,
  type Observed,
  ownLabels,
} from '../../../src/domain/cloud/resource.ts';

/** Clouds as they might be, for property tests of the rules. */

export const slug = fc.stringMatching(/^[a-z][a-z0-9-]{0,14}[a-z0-9]$/);
const text = fc.oneof(slug, fc.string({ maxLength: 12 }), fc.constantFrom('${a}', '%{if x}', '"q"', 'a\nb', 'ä ö'));
const region = fc.constantFrom('us-central1', 'europe-west3', 'asia-east9', 'southamerica-east1');

export const attributes: { [K in Kind]: fc.Arbitrary<AttributesByKind[K]> } = {
  api: fc.constant({}),
  connector: fc.record({
    network: slug,
    range: fc.constant('10.8.0.0/28'),
    minInstances: fc.integer({ min: 2, max: 3 }),
    maxInstances: fc.integer({ min: 3, max: 10 }),
  }),
  account: fc.record({ displayName: text }),
  role: fc.record({ account: slug, role: fc.constantFrom('roles/cloudsql.client', 'roles/run.invoker') }),
  repository: fc.record({ format: fc.constant('DOCKER' as const), keepVersions: fc.integer({ min: 1, max: 50 }) }),
  bucket: fc.record({
    storageClass: fc.constantFrom('STANDARD', 'NEARLINE', 'COLDLINE', 'ARCHIVE', 'NEW_CLASS'),
    uniformAccess: fc.boolean(),
    public: fc.boolean(),
    versioning: fc.boolean(),
    expire: fc.option(
      fc.record({
        days: fc.integer({ min: 1, max: 365 }),
        prefixes: fc.array(
          text.filter((each) => each !== ''),
          { maxLength: 8 },
        ),
      }),
    ),
  }),
  'sql-instance': fc.record({
    version: fc.constantFrom('POSTGRES_15', 'POSTGRES_17'),
    tier: fc.oneof(
      fc.constantFrom('db-f1-micro', 'db-g1-small', 'db-perf-optimized-N-2'),
      fc
        .tuple(fc.constantFrom(1, 2, 4, 96), fc.integer({ min: 15, max: 2496 }))
        .map(([cpu, units]) => `db-custom-${cpu}-${units * 256}`),
    ),
    availability: fc.constantFrom('ZONAL', 'REGIONAL'),
    storageType: fc.constantFrom('SSD', 'HDD'),
    storageGb: fc.integer({ min: 10, max: 5000 }),
    autoIncrease: fc.boolean(),
    backupStart: fc.constant('03:00'),
    backupsKept: fc.integer({ min: 1, max: 365 }),
    pointInTime: fc.boolean(),
    maintenance: fc.record({ day: fc.integer({ min: 1, max: 7 }), hour: fc.integer({ min: 0, max: 23 }) }),
    flags: fc.dictionary(fc.constantFrom('max_connections', 'log_min_duration_statement'), text, {
      noNullPrototype: true,
    }),
    publicAddress: fc.boolean(),
    network: fc.option(slug),
    deletionProtection: fc.boolean(),
  }),
  'sql-database': fc.record({ instance: slug, extensions: fc.subarray(['vector', 'pg_trgm']) }),
  'sql-user': fc.record({ instance: slug, user: slug, passwordSecret: slug }),
  secret: fc.constant({ replication: 'automatic' as const }),
  'audit-logs': fc.record({ reads: fc.boolean(), writes: fc.boolean() }),
  'log-retention': fc.record({ days: fc.integer({ min: 1, max: 3650 }) }),
  'uptime-check': fc.record({
    host: slug,
    path: fc.constantFrom('/', '/health?a=${b}'),
    periodS: fc.constantFrom(60, 300),
  }),
  'alert-policy': fc.record({
    service: slug,
    condition: fc.constantFrom('errors', 'latency', 'down'),
    threshold: fc.integer({ min: 0, max: 2000 }).map((each) => each / 100),
    channels: fc.uniqueArray(slug, { maxLength: 2 }),
  }),
  'alert-channel': fc.record({ email: fc.constantFrom('ops@example.com', 'a@b.example') }),
  budget: fc.record({
    amount: fc.integer({ min: 1, max: 100_000 }).map((each) => each / 100),
    currency: fc.constantFrom('USD', 'EUR'),
    thresholds: fc.constant([0.5, 0.9, 1]),
  }),
  service: fc.record({
    image: fc.option(fc.constant('europe-docker.pkg.dev/p/r/api@sha256:00')),
    memory: fc.integer({ min: 1, max: 32 }).map((each) => each * 128 * 2 ** 20),
    cpu: fc.constantFrom(0.5, 1, 2, 4),
    minInstances: fc.integer({ min: 0, max: 3 }),
    maxInstances: fc.integer({ min: 1, max: 20 }),
    timeoutS: fc.integer({ min: 1, max: 3600 }),
    public: fc.boolean(),
    account: slug,
    sql: fc.constant(null),
  }),
  cluster: fc.record({ nodes: fc.integer({ min: 0, max: 9 }) }),
  job: fc.record({ image: fc.constant(null) }),
};

const declarable = (Object.keys(attributes) as Kind[]).filter((kind) => !['cluster', 'job', 'service'].includes(kind));
const REGIONAL: readonly Kind[] = ['connector', 'repository', 'bucket', 'sql-instance', 'service'];

const resource = (kinds: readonly Kind[]) =>
  fc.constantFrom(...kinds).chain((kind) =>
    fc.record({
      kind: fc.constant(kind),
      name:
        kind === 'api'
          ? slug.map((each) => `${each}.googleapis.com`)
          : kind === 'sql-database'
            ? slug.map((each) => `main/${each}`)
            : slug,
      location: REGIONAL.includes(kind) ? region : fc.constant(null),
      attributes: attributes[kind] as fc.Arbitrary<object>,
    }),
  );

/** Of any kinds that a file can ask for; each may need earlier ones. */
export const desiredResources = (scope: { project: string; environment: string }): fc.Arbitrary<Desired[]> =>
  fc
    .uniqueArray(fc.tuple(resource(declarable), fc.array(fc.nat(20), { maxLength: 3 })), {
      maxLength: 15,
      selector: ([each]) => `${each.kind}/${each.name}`,
    })
    .map((all) =>
      all.map(([each, needs], index) => {
        const before = needs.filter((need) => need < index).map((need) => all[need]?.[0]);
        const addresses = before.flatMap((other) => (other === undefined ? [] : [addressOf(other)]));
        return { ...each, labels: ownLabels(scope), needs: addresses } as unknown as Desired;
      }),
    );

export const labels = (scope: { project: string; environment: string }): fc.Arbitrary<Labels> =>
  fc.constantFrom<Labels>(
    ownLabels(scope),
    { ...ownLabels(scope), team: 'a' },
    {},
    { 'evenkeel-project': scope.project },
    { 'evenkeel-project': scope.project, 'evenkeel-environment': 'another' },
    { team: 'b' },
  );

export const observedResources = (
  scope: { project: string; environment: string },
  kinds: readonly Kind[] = Object.keys(attributes) as Kind[],
): fc.Arbitrary<Observed[]> =>
  fc
    .uniqueArray(
      fc.record({
        resource: resource(kinds),
        labels: labels(scope),
        state: fc.constantFrom('ready', 'changing', 'stopped', 'failed'),
        size: fc.option(fc.record({ bytes: fc.option(fc.nat(10 ** 12)), objects: fc.option(fc.nat(10 ** 6)) }), {
          nil: undefined,
        }),
        createdAt: fc.option(fc.integer({ min: 0, max: 1_700_000_000_000 })),
        hasValue: fc.boolean(),
      }),
      { maxLength: 15, selector: ({ resource: { kind, name } }) => `${kind}/${name}` },
    )
    .map((all) => all.map(({ resource, ...seen }) => ({ ...resource, ...seen }) as unknown as Observed));

/** What is there of some of these. */
export const someObserved = (desired: readonly Desired[]): fc.Arbitrary<Observed[]> =>
  fc
    .subarray([...desired])
    .map((all) =>
      all.map((each) => ({ ...each, state: 'ready', createdAt: null, id: `projects/p/things/${each.name}` })),
    );

export const service: fc.Arbitrary<CloudService> = fc.record({
  service: slug,
  name: slug,
  public: fc.boolean(),
  database: fc.boolean(),
  port: fc.constant(8080),
  memory: fc.constantFrom(512 * 2 ** 20, 2 ** 30),
  cpu: fc.constantFrom(0.5, 1, 2),
  minInstances: fc.integer({ min: 0, max: 2 }),
  maxInstances: fc.integer({ min: 1, max: 10 }),
  timeoutS: fc.constant(300),
  concurrency: fc.constant(80),
  health: fc.option(fc.constant('/health')),
  dockerfile: fc.constant('Dockerfile'),
  context: fc.constant('.'),
  image: fc.option(fc.constant('gcr.io/p/i:1')),
  env: fc.constant({}),
  urlVariable: fc.constant('API_URL'),
});

export const config: fc.Arbitrary<CloudConfig> = fc
  .record({
    region,
    network: fc.option(
      fc.record({ name: slug, egress: fc.constantFrom('direct', 'connector'), range: fc.constant('10.8.0.0/28') }),
    ),
    services: fc.uniqueArray(service, { maxLength: 4, selector: ({ name }) => name }),
    runsServices: fc.boolean(),
    labels: fc.dictionary(slug, slug, { maxKeys: 2, noNullPrototype: true }),
  })
  .map((some) => ({
    provider: 'google',
    project: 'some-project',
    apis: [],
    account: { name: 'runner', roles: [], keyFile: null },
    repository: { name: 'images', keepVersions: 10 },
    database: null,
    buckets: [],
    secrets: [],
    budget: null,
    billingExport: null,
    logDays: 30,
    auditLogs: true,
    urlFile: null,
    alerts: { emails: ['ops@example.com', 'a@b.example'], everyS: 300 },
    ...some,
  }));
