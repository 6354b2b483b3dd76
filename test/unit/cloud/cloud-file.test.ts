import { describe, expect, test } from 'vitest';

import type { CloudConfig } from '../../../src/domain/cloud/config.ts';
import { cloudVariables, databaseUrl } from '../../../src/domain/cloud/variables.ts';
import { desiredOf } from '../../../src/domain/cloud/desired.ts';
import { DETAILED, EXPORT } from '../../support/cloud/bill.ts';
import { problemsIn, projectOf } from '../config/read.ts';

const FILE = `
project: shop
cloud: { project: shop-4711, region: europe-west1 }
services:
  api: { run: node api.js, routes: [/api], health: /health, env: { LEVEL: info, JWT: "\${JWT_SECRET}" } }
  live: { run: node live.js, routes: [/live], health: /live/health, urlVariable: WEBSOCKET_URL }
  faces: { run: node faces.js, health: /health, database: false }
databases:
  main: { version: 16, extensions: vector, size: 20Gi, maxConnections: 100 }
buckets:
  media: { public: true, versioning: true }
  temp-files: { name: "shop-temp-\${env}", expire: { after: 2d, prefixes: [tmp/, cache/] } }
secrets: { JWT_SECRET: { cloud: jwt-secret }, OTHER: null }
environments:
  staging: { runtime: cloud-run, cloud: { region: europe-north1 } }
  production: { runtime: cloud-run, databases: { main: { highAvailability: true, tier: db-custom-4-15360 } } }
  plant: { cloud: null, databases: { main: { url: "postgres://plant" } }, buckets: { media: null, temp-files: null } }
`;

async function cloudOf(environment: string, file = FILE, variables: Record<string, string> = {}): Promise<CloudConfig> {
  const { cloud } = await projectOf(file, environment, variables);
  if (cloud === undefined) throw new Error('nothing in the cloud');
  return cloud;
}

async function variablesOf(cloud: CloudConfig, name: string) {
  const service = cloud.services.find((each) => each.service === name);
  if (service === undefined) throw new Error(`no ${name}`);
  const { variables } = cloudVariables(cloud, service, (asked) => `https://${asked}.example`);
  return Object.fromEntries(
    variables.map((each) => [each.name, 'value' in each ? each.value : { secret: each.secret }]),
  );
}

const errors = async (file: string, environment = 'production', variables: Record<string, string> = {}) =>
  (await problemsIn(file, environment, variables))
    .filter(({ severity }) => severity === 'error')
    .map(({ code, path }) => `${code} ${path}`);

describe('what an environment has in the cloud', () => {
  test('an environment lays its words over those of the cloud, and may have none', async () => {
    expect(await cloudOf('production')).toMatchObject({
      project: 'shop-4711',
      region: 'europe-west1',
      runsServices: true,
    });
    expect(await cloudOf('staging')).toMatchObject({ project: 'shop-4711', region: 'europe-north1' });
    expect((await projectOf(FILE, 'plant')).cloud).toBeUndefined();
  });

  test('of environments that share a cloud project, all keep logs as long as the one that keeps them longest', async () => {
    const file = `
project: shop
cloud: { project: shop-4711, region: europe-west1 }
services: { api: { run: node api.js } }
environments:
  staging: { cloud: { logs: { keep: 7d } } }
  production: { cloud: { logs: { keep: 365d } } }
  apart: { cloud: { project: shop-4712, logs: { keep: 14d } } }
  none: { cloud: null }
`;
    const days = async (name: string): Promise<number> => (await cloudOf(name, file)).logDays;
    expect([await days('staging'), await days('production'), await days('development')]).toEqual([365, 365, 365]);
    expect(await days('apart')).toBe(14);
  });

  test('names are made from project and environment, and those of the file win', async () => {
    const { account, repository, database, buckets, secrets, services } = await cloudOf('staging');
    expect(account.name).toBe('shop-staging-run');
    expect(repository.name).toBe('shop-staging');
    expect(database?.instance).toBe('shop-staging-main');
    expect(buckets.map(({ name }) => name)).toEqual(['shop-staging-media', 'shop-temp-staging']);
    expect(Object.fromEntries(secrets.map(({ variable, id }) => [variable, id]))).toEqual({
      JWT_SECRET: 'jwt-secret',
      OTHER: 'shop-staging-other',
      DATABASE_PASSWORD: 'shop-staging-database-password',
      DATABASE_URL: 'shop-staging-database-url',
    });
    expect(services.map(({ name }) => name)).toEqual(['shop-staging-api', 'shop-staging-live', 'shop-staging-faces']);
  });

  test('a billing export is named by its table, which an environment may have another of', async () => {
    const own = FILE.replace('region: europe-west1 }', `region: europe-west1, billingExport: ${EXPORT} }`).replace(
      'europe-north1',
      `europe-north1, billingExport: ${DETAILED}`,
    );
    expect((await cloudOf('production', own)).billingExport).toBe(EXPORT);
    expect((await cloudOf('staging', own)).billingExport).toBe(DETAILED);
    expect((await cloudOf('production')).billingExport).toBeNull();
    expect(await errors(own.replace('gcp_billing_export_v1', 'my_costs'))).toEqual(['bad-value cloud.billingExport']);
    const apis = async (file: string) =>
      desiredOf(await cloudOf('production', file), { project: 'shop', environment: 'production', projectNumber: '0' })
        .filter(({ kind }) => kind === 'api')
        .map(({ name }) => name);
    expect(await apis(own)).toContain('bigquery.googleapis.com');
    expect(await apis(FILE)).not.toContain('bigquery.googleapis.com');
  });

  test('property 3: each bucket has the rule that the file gives it', async () => {
    const { buckets } = await cloudOf('production');
    expect(buckets).toMatchObject([
      { key: 'media', public: true, versioning: true, expire: null },
      { key: 'temp-files', public: false, versioning: false, expire: { days: 2, prefixes: ['tmp/', 'cache/'] } },
    ]);
  });

  test('property 6: a Postgres older than 15 is refused', async () => {
    expect((await cloudOf('production')).database?.version).toBe(16);
    expect(await errors(FILE.replace('version: 16', 'version: 14'))).toEqual(['bad-value databases.main.version']);
    expect(await errors(FILE.replace('version: 16', 'version: new'))).toEqual(['bad-value databases.main.version']);
    expect(await errors(FILE.replace('version: 16', 'engine: mysql'))).toEqual(['not-available databases.main.engine']);
  });

  test('property 7: the tier follows the environment, unless the file says another', async () => {
    expect((await cloudOf('development')).database?.tier).toBe('db-f1-micro');
    expect((await cloudOf('staging')).database?.tier).toBe('db-f1-micro');
    expect((await cloudOf('production')).database).toMatchObject({ tier: 'db-custom-4-15360', highAvailability: true });
    const plain = FILE.replace(/, databases: \{ main: \{ high.*?\} \}/, '');
    expect((await cloudOf('production', plain)).database?.tier).toBe('db-custom-1-3840');
  });

  test('property 8: backups are on; 30 are kept in production, where any moment can be restored', async () => {
    const kept = { backupStart: '03:00', backupsKept: 30, pointInTime: true, deletionProtection: true };
    expect((await cloudOf('production')).database).toMatchObject(kept);
    expect((await cloudOf('staging')).database).toMatchObject({
      backupStart: '03:00',
      backupsKept: 7,
      pointInTime: false,
    });
    const own = FILE.replace('version: 16', 'backups: { start: "01:30", keep: 12, pointInTime: true }');
    expect((await cloudOf('staging', own)).database).toMatchObject({
      backupStart: '01:30',
      backupsKept: 12,
      pointInTime: true,
    });
  });

  test('a budget is an amount for a month, with shares at which people are told', async () => {
    const budgetOf = async (written: string) =>
      (await cloudOf('production', FILE.replace('region: europe-west1', `region: europe-west1, budget: ${written}`)))
        .budget;
    expect(await budgetOf('50 EUR/month')).toEqual({ amount: 50, currency: 'EUR', thresholds: [0.5, 0.9, 1] });
    const own = '{ amount: 9.5, currency: USD, alerts: [120%, 80] }';
    expect(await budgetOf(own)).toEqual({ amount: 9.5, currency: 'USD', thresholds: [0.8, 1.2] });
    expect(await errors(FILE.replace('region: europe-west1', 'region: europe-west1, budget: lots'))).toEqual([
      'bad-value cloud.budget',
    ]);
  });

  test('services are looked at every five minutes and nobody is told, unless the file says otherwise', async () => {
    const alertsOf = async (written: string) =>
      (await cloudOf('production', FILE.replace('region: europe-west1', `region: europe-west1${written}`))).alerts;
    expect(await alertsOf('')).toEqual({ emails: [], everyS: 300 });
    expect(await alertsOf(', alerts: { email: ops@example.com, every: 1m }')).toEqual({
      emails: ['ops@example.com'],
      everyS: 60,
    });
    const wrong = 'region: europe-west1, alerts: { email: nobody, every: 2m }';
    expect(await errors(FILE.replace('region: europe-west1', wrong))).toEqual([
      'bad-value cloud.alerts.email',
      'bad-value cloud.alerts.every',
    ]);
  });

  test('property 15: the region is the configured one, and a cloud without one is refused', async () => {
    expect(await errors(FILE.replace(', region: europe-west1', ''))).toEqual(['missing-key cloud.region']);
    expect(await errors(FILE.replace('europe-west1', 'Europe'))).toEqual(['bad-value cloud.region']);
  });

  test('properties 19, 20: limits and scaling are as declared, with defaults', async () => {
    const file = FILE.replace(
      'run: node faces.js,',
      'run: node faces.js, instances: { min: 1, max: 4 }, resources: { memory: 2Gi, cpu: 2 }, timeout: 90s, concurrency: 7, port: 9000,',
    );
    const [api, , faces] = (await cloudOf('production', file)).services;
    const standard = { memory: 512 * 2 ** 20, cpu: 1, minInstances: 0, maxInstances: 10, timeoutS: 300, port: 8080 };
    expect(api).toMatchObject({ ...standard, concurrency: 80 });
    const own = { memory: 2 ** 31, cpu: 2, minInstances: 1, maxInstances: 4, timeoutS: 90, concurrency: 7, port: 9000 };
    expect(faces).toMatchObject(own);
  });

  test('property 21: public is what has routes, unless the file says otherwise', async () => {
    expect((await cloudOf('production')).services.map((each) => each.public)).toEqual([true, true, false]);
    const turned = FILE.replace('routes: [/api],', 'routes: [/api], public: false,').replace(
      'faces.js,',
      'faces.js, public: true,',
    );
    expect((await cloudOf('production', turned)).services.map((each) => each.public)).toEqual([false, true, true]);
  });
});

describe('what services find in their variables', () => {
  const common = {
    DATABASE_PORT: '5432',
    DATABASE_NAME: 'shop',
    DATABASE_USER: 'app',
    CLOUD_SQL_CONNECTION_NAME: 'shop-4711:europe-west1:shop-production-main',
  };
  const buckets = { GCS_BUCKET_MEDIA: 'shop-production-media', GCS_BUCKET_TEMP_FILES: 'shop-temp-production' };

  test('property 9: the database by its socket on Cloud Run, its password and address by reference', async () => {
    const cloud = await cloudOf('production');
    expect(await variablesOf(cloud, 'api')).toEqual({
      ...common,
      ...buckets,
      DATABASE_HOST: '/cloudsql/shop-4711:europe-west1:shop-production-main',
      DATABASE_PASSWORD: { secret: 'shop-production-database-password' },
      DATABASE_URL: { secret: 'shop-production-database-url' },
      LEVEL: 'info',
      JWT: { secret: 'jwt-secret' },
      WEBSOCKET_URL: 'https://live.example',
      FACES_URL: 'https://faces.example',
    });
  });

  test('property 9: the address that becomes a secret leads to the socket, whatever the password holds', async () => {
    const cloud = await cloudOf('production');
    if (cloud.database === null) throw new Error('no database');
    const url = new URL(databaseUrl(cloud.database, cloud, 'p@ss/w:rd?#'));
    expect(decodeURIComponent(url.password)).toBe('p@ss/w:rd?#');
    expect([url.username, url.pathname]).toEqual(['app', '/shop']);
    expect(url.searchParams.get('host')).toBe('/cloudsql/shop-4711:europe-west1:shop-production-main');
  });

  test('property 9: the database at 127.0.0.1 in development', async () => {
    const { services, secrets } = await projectOf(FILE);
    const env = services.find(({ name }) => name === 'api')?.env;
    expect(env).toMatchObject({
      DATABASE_HOST: ['127.0.0.1'],
      DATABASE_PASSWORD: [{ secret: 'DATABASE_PASSWORD' }],
      DATABASE_URL: ['postgresql://app:', { secret: 'DATABASE_PASSWORD' }, '@127.0.0.1:5432/shop'],
      GCS_BUCKET_MEDIA: ['shop-development-media'],
      WEBSOCKET_URL: [{ serviceUrl: 'live' }],
    });
    expect(secrets).toEqual(['JWT_SECRET', 'OTHER', 'DATABASE_PASSWORD']);
  });

  test('property 9: the database by DATABASE_URL on a machine that is neither', async () => {
    const file = FILE.replace('staging: { runtime: cloud-run,', 'staging: {');
    expect(await errors(file, 'staging')).toEqual(['unset-variable databases.main']);
    const { services } = await projectOf(file, 'staging', { DATABASE_URL: 'postgres://there' });
    expect(services[0]?.env['DATABASE_URL']).toEqual(['postgres://there']);
    expect(services[0]?.env).not.toHaveProperty('DATABASE_HOST');
  });

  test('property 18: a service that says `database: false` has neither variables nor a connection', async () => {
    const cloud = await cloudOf('production');
    expect(cloud.services.map(({ database }) => database)).toEqual([true, true, false]);
    const found = await variablesOf(cloud, 'faces');
    expect(found).toEqual({ ...buckets, API_URL: 'https://api.example', WEBSOCKET_URL: 'https://live.example' });
  });

  test('property 17: a secret inside of a value is refused, since it could only be given as text', async () => {
    const mixed = FILE.replace('LEVEL: info', 'LEVEL: "a-${JWT_SECRET}"');
    expect(await errors(mixed)).toEqual(['contradiction services.api.env.LEVEL']);
    expect(await errors(mixed, 'development')).toEqual([]);
  });

  test('property 23: what nobody knows yet is named, and the rest is there', async () => {
    const cloud = await cloudOf('production');
    const [api] = cloud.services;
    if (api === undefined) throw new Error('no service');
    const { variables, unknown } = cloudVariables(cloud, api, (name) => (name === 'live' ? 'https://live' : null));
    expect(unknown).toEqual(['faces']);
    expect(variables.map(({ name }) => name)).toContain('WEBSOCKET_URL');
    expect(variables.map(({ name }) => name)).not.toContain('FACES_URL');
  });

  test('property 23: two services cannot be known by one variable', async () => {
    expect(await errors(FILE.replace('urlVariable: WEBSOCKET_URL', 'urlVariable: API_URL'))).toEqual([
      'contradiction services.live.urlVariable',
    ]);
    expect(await errors(FILE.replaceAll('faces:', 'database:'))).toEqual(['contradiction services.database']);
  });

  test('property 27: a `${SECRET_*}` in an environment file is never loaded as text', async () => {
    const file = FILE.replace('LEVEL: info', 'LEVEL: "${KEY}"');
    const [problem] = await problemsIn(file, 'production', { KEY: '${SECRET_KEY}' });
    expect(problem).toMatchObject({ code: 'secret-misplaced', path: 'services.api.env.LEVEL' });
    expect(problem?.hint).toContain('evenkeel secrets set KEY');
    const asSecret = file.replace('OTHER: null', 'OTHER: null, KEY: null');
    const cloud = await cloudOf('production', asSecret, { KEY: '${SECRET_KEY}' });
    expect(await variablesOf(cloud, 'api')).toMatchObject({ LEVEL: { secret: 'shop-production-key' } });
  });
});

describe('what cannot be so', () => {
  test('property 28: all that is missing is named at once', async () => {
    const file = `
project: p
services: { api: { run: a, routes: [/], health: /h, env: { A: "\${A}", B: "\${B}" } } }
cloud: { project: "\${CLOUD_PROJECT}" }
databases: { main: { tier: big } }
environments: { production: { runtime: cloud-run } }
`;
    expect(await errors(file)).toEqual([
      'unset-variable services.api.env.A',
      'unset-variable services.api.env.B',
      'missing-key cloud.region',
      'unset-variable cloud.project',
      'bad-value databases.main.tier',
    ]);
  });

  test('Cloud Run without a cloud names what to add', async () => {
    const [problem] = await problemsIn(
      'project: p\nservices: { api: { image: nginx, routes: [/], health: /h } }\nenvironments: { production: { runtime: cloud-run } }\n',
      'production',
    );
    expect(problem).toMatchObject({ code: 'missing-key', path: 'environments.production.runtime' });
    expect(problem?.expected).toContain('cloud: { project: ID, region: REGION }');
  });

  test.each([
    ['static: dist', 'static'],
    ['schedule: "0 3 * * *"', 'schedule'],
    ['data: [files]', 'data'],
    ['user: www', 'user'],
    ['access: { allow: 10.0.0.0/8 }', 'access'],
    ['limits: { body: 1Mi }', 'limits'],
    ['stopGrace: 1m', 'stopGrace'],
  ])('%s is refused on Cloud Run instead of being ignored', async (keys, key) => {
    const run = key === 'static' ? '' : 'run: a, ';
    const routes = key === 'schedule' ? '' : ', routes: [/], health: /h';
    const health = key === 'static' ? ', routes: [/]' : routes;
    const file = `
project: p
cloud: { project: p-12345, region: europe-west1 }
services: { api: { ${run}${keys}${health} } }
environments: { production: { runtime: cloud-run } }
`;
    expect(await errors(file)).toEqual([`not-available services.api.${key}`]);
    expect(await errors(file, 'development')).toEqual([]);
  });

  test.each([
    ['access: { basicAuth: { users: { ada: PASSWORD } } }', 'access'],
    ['access: { forwardAuth: { url: "http://127.0.0.1:9/" } }', 'access'],
    ['limits: { rate: 10/s }', 'limits'],
  ])('%s of a single route is refused there, too', async (keys, key) => {
    const file = `
project: p
cloud: { project: p-12345, region: europe-west1 }
secrets: [PASSWORD]
services: { api: { run: a, health: /h, routes: [/, { path: /admin, ${keys} }] } }
environments: { production: { runtime: cloud-run } }
`;
    expect(await errors(file)).toEqual([`not-available services.api.routes.1.${key}`]);
    expect(await errors(file, 'development')).toEqual([]);
  });

  test('what nobody asks cannot run on Cloud Run, and a schedule is refused once', async () => {
    const file = (mail: string): string => `
project: p
cloud: { project: p-12345, region: europe-west1 }
services:
  api: { run: a, health: /h, routes: [/] }
  mail: { run: b${mail} }
environments: { production: { runtime: cloud-run } }
`;
    const [worker] = await problemsIn(file(''), 'production');
    expect(worker).toMatchObject({ code: 'not-available', path: 'services.mail', severity: 'error' });
    expect(worker?.hint).toContain('health: /PATH');
    expect(await errors(file(', schedule: "0 3 * * *"'))).toEqual(['not-available services.mail.schedule']);
    expect(await errors(file(', health: /up'))).toEqual([]);
    const asked = file('').replace('routes: [/]', 'routes: [/], env: { MAIL: "${services.mail.url}" }');
    expect(await errors(asked)).toEqual([]);
    expect(await errors(file(''), 'development')).toEqual([]);
  });

  test('what an edge does cannot be asked of an environment without one', async () => {
    const file = FILE.replace(
      'production: { runtime: cloud-run,',
      'production: { runtime: cloud-run, domain: shop.example, tls: acme,',
    );
    expect(await errors(file)).toEqual([
      'not-available environments.production.domain',
      'not-available environments.production.tls',
    ]);
  });

  test.each([
    ['resources: { cpu: 3 }', 'bad-value services.api.resources.cpu'],
    ['resources: { memory: 64Mi }', 'bad-value services.api.resources.memory'],
    ['resources: { memory: 8Gi, cpu: 1 }', 'contradiction services.api.resources.memory'],
    ['resources: { cpu: 0.5 }, concurrency: 20', 'contradiction services.api.concurrency'],
    ['timeout: 2h', 'bad-value services.api.timeout'],
    ['image: nginx, dockerfile: a/Dockerfile', 'contradiction services.api.dockerfile'],
    ['env: { K_SERVICE: x }', 'contradiction services.api.env.K_SERVICE'],
  ])('%s is more than Cloud Run gives', async (keys, expected) => {
    const file = `
project: p
cloud: { project: p-12345, region: europe-west1 }
services: { api: { run: a, routes: [/], health: /h, ${keys} } }
environments: { production: { runtime: cloud-run } }
`;
    expect(await errors(file)).toEqual([expected]);
  });

  test('the key of the account must not lie in the project', async () => {
    const file = FILE.replace('region: europe-west1', 'region: europe-west1, account: { keyFile: keys/run.json }');
    expect(await errors(file)).toEqual(['contradiction cloud.account.keyFile']);
    const outside = file.replace('keys/run.json', '../keys/run.json');
    expect((await cloudOf('production', outside)).account.keyFile).toBe('/nonexistent/keys/run.json');
  });

  test('keys about Cloud Run say nothing where nothing is in the cloud', async () => {
    const file = 'project: p\nservices: { api: { run: a, concurrency: 4, instances: { min: 0, max: 2 } } }\n';
    expect(await errors(file, 'development')).toEqual([
      'contradiction services.api.concurrency',
      'bad-value services.api.instances.min',
    ]);
  });

  test('on a machine a service of 0 to 10 instances has at least one, and says so where it is', async () => {
    const file = FILE.replace('run: node api.js,', 'run: node api.js, instances: { min: 0, max: 10 },');
    expect((await projectOf(file)).services.find(({ name }) => name === 'api')).toMatchObject({
      instances: 1,
      scale: { max: 10 },
    });
    const [api] = (await projectOf(file, 'production')).services;
    expect(api).toMatchObject({ instances: 1, kind: 'http' });
    expect(api).not.toHaveProperty('scale');
  });

  test('a service that uses no database is not told of one anywhere', async () => {
    const file =
      'project: p\nservices: { a: { run: a }, b: { run: b, database: false } }\ndatabases: { main: { url: "postgres://x" } }\n';
    const { services } = await projectOf(file, 'development');
    expect(services.map(({ env }) => Object.keys(env))).toEqual([['DATABASE_URL'], []]);
  });

  test('two buckets of one name are refused', async () => {
    expect(await errors(FILE.replace('public: true,', 'name: "shop-temp-${env}",'))).toEqual([
      'contradiction buckets.temp-files',
    ]);
  });
});
