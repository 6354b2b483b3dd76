import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { loadProject } from '../../../src/config/load-project.ts';
import type { CloudConfig } from '../../../src/domain/cloud/config.ts';
import { desiredOf } from '../../../src/domain/cloud/desired.ts';
import { foreseenUrl } from '../../../src/domain/cloud/names.ts';
import type { Kind } from '../../../src/domain/cloud/resource.ts';
import { cloudVariables } from '../../../src/domain/cloud/variables.ts';
import { strayIn } from '../../../src/domain/project/stray.ts';
import { projectSchema } from '../../../src/store/rows/project.ts';
import { DIGITWIN, manifestOf, SERVICES } from '../../support/cloud/digitwin.ts';

const PROCESS = { HOME: '/home/ada' };

async function load(environment: string, processEnv: Record<string, string> = PROCESS) {
  const result = await loadProject({ root: DIGITWIN, environment, processEnv });
  if (!result.ok) throw new Error(JSON.stringify(result.problems, null, 1));
  expect(result.warnings).toEqual([]);
  const { cloud } = result.project;
  if (cloud === undefined) throw new Error('nothing in the cloud');
  return { ...result, cloud };
}

const settingOf = (environment: string) => ({ project: 'digitwin', environment, projectNumber: '4711' });
const desiredIn = (cloud: CloudConfig, environment: string) => desiredOf(cloud, settingOf(environment));

describe.each(['development', 'staging', 'production'])('the example in %s', (environment) => {
  test('property 2: four buckets, named by kind and environment; property 3: temporary files are cleaned up', async () => {
    const { cloud } = await load(environment);
    expect(cloud.buckets.map(({ name }) => name)).toEqual(
      ['faces', 'voices', 'models', 'temp'].map((kind) => `clone-${kind}-${environment}`),
    );
    expect(cloud.buckets.find(({ key }) => key === 'temp')?.expire).toEqual({ days: 1, prefixes: [] });
  });

  test('property 5: its three secrets by the names of the file, and the one of the composed address', async () => {
    const { cloud } = await load(environment);
    const ids = cloud.secrets.map(({ id }) => id);
    expect(ids).toEqual(['jwt-secret', 'refresh-secret', 'database-password', `digitwin-${environment}-database-url`]);
  });

  test('property 6: Postgres 15 with pgvector; property 7: its tier follows the environment', async () => {
    const { cloud } = await load(environment);
    const tier = environment === 'production' ? 'db-custom-1-3840' : 'db-f1-micro';
    expect(cloud.database).toMatchObject({ version: 15, extensions: ['vector'], tier, backupStart: '03:00' });
  });

  test('one account with four roles, and its key outside of the tree', async () => {
    const { cloud } = await load(environment);
    expect(cloud.account).toMatchObject({
      name: `digitwin-${environment}`,
      keyFile: `/home/ada/.config/digitwin/${environment}.json`,
    });
    expect(cloud.account.roles).toHaveLength(4);
  });

  test('property 26: `--env` picks its project; property 25: what all share comes from `.env`', async () => {
    const { cloud, project } = await load(environment);
    expect(cloud).toMatchObject({ project: `digitwin-${environment}`, region: 'europe-west1' });
    const level = environment === 'development' ? 'debug' : 'info';
    expect(project.services[0]?.env['LOG_LEVEL']).toEqual([level]);
    const { cloud: other } = await load(environment, { ...PROCESS, GOOGLE_CLOUD_PROJECT: 'my-own-4711' });
    expect(other.project).toBe('my-own-4711');
  });
});

describe('the example on Cloud Run', () => {
  test('comes back from where it is stored as it was, and leads nowhere out of the project', async () => {
    const { project } = await load('production');
    expect(projectSchema.parse(JSON.parse(JSON.stringify(project)))).toEqual(project);
    expect(strayIn(project)).toBeNull();
    const [service] = project.cloud?.services ?? [];
    if (service !== undefined) service.dockerfile = '../../etc/Dockerfile';
    expect(strayIn(project)).toContain('does not lie inside of the project');
  });

  test('properties 19, 20, 21: three public services with the limits of the file', async () => {
    const { cloud } = await load('production');
    expect(cloud.services.map(({ service }) => service).toSorted()).toEqual([...SERVICES].toSorted());
    for (const service of cloud.services)
      expect(service).toMatchObject({
        public: true,
        port: 8080,
        memory: 512 * 2 ** 20,
        cpu: 1,
        minInstances: 0,
        maxInstances: 10,
        timeoutS: 300,
      });
  });

  test('properties 9, 16, 17, 18, 23: what each service finds in its variables', async () => {
    const { cloud } = await load('production');
    const urlOf = (asked: string): string => {
      const name = cloud.services.find(({ service }) => service === asked)?.name ?? '';
      return foreseenUrl(name, { projectNumber: '4711', region: cloud.region });
    };
    const found = Object.fromEntries(
      cloud.services.map((service) => [service.service, cloudVariables(cloud, service, urlOf).variables]),
    );
    const address = (service: string) => `https://digitwin-production-${service}-4711.europe-west1.run.app`;
    const shared = [
      { name: 'GCS_BUCKET_FACES', value: 'clone-faces-production' },
      { name: 'GCS_BUCKET_MODELS', value: 'clone-models-production' },
      { name: 'GCS_BUCKET_TEMP', value: 'clone-temp-production' },
      { name: 'GCS_BUCKET_VOICES', value: 'clone-voices-production' },
      { name: 'LOG_LEVEL', value: 'info' },
    ];
    const sql = 'digitwin-production:europe-west1:digitwin-production-main';
    const database = [
      { name: 'CLOUD_SQL_CONNECTION_NAME', value: sql },
      { name: 'DATABASE_HOST', value: `/cloudsql/${sql}` },
      { name: 'DATABASE_NAME', value: 'digitwin' },
      { name: 'DATABASE_PASSWORD', secret: 'database-password' },
      { name: 'DATABASE_PORT', value: '5432' },
      { name: 'DATABASE_URL', secret: 'digitwin-production-database-url' },
      { name: 'DATABASE_USER', value: 'app' },
    ];
    const api = { name: 'API_GATEWAY_URL', value: address('api-gateway') };
    const sockets = { name: 'WEBSOCKET_URL', value: address('websocket-server') };
    const faces = { name: 'FACE_PROCESSING_SERVICE_URL', value: address('face-processing-service') };
    const jwt = { name: 'JWT_SECRET', secret: 'jwt-secret' };
    const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);
    const refresh = { name: 'REFRESH_SECRET', secret: 'refresh-secret' };
    expect(found['api-gateway']).toEqual([...shared, ...database, faces, sockets, jwt, refresh].toSorted(byName));
    expect(found['websocket-server']).toEqual([...shared, ...database, api, faces, jwt].toSorted(byName));
    expect(found['face-processing-service']).toEqual([...shared, api, sockets].toSorted(byName));
  });

  test('what it asks of the cloud, by kind', async () => {
    const counts = async (environment: string) => {
      const all = desiredIn((await load(environment)).cloud, environment);
      const count = (kind: Kind) => all.filter((each) => each.kind === kind).length;
      return [
        count('bucket'),
        count('secret'),
        count('role'),
        count('service'),
        count('uptime-check'),
        count('alert-policy'),
      ];
    };
    expect(await counts('production')).toEqual([4, 4, 4, 3, 3, 9]);
    expect(await counts('staging')).toEqual([4, 4, 4, 3, 3, 9]);
    expect(await counts('development')).toEqual([4, 4, 4, 0, 0, 0]);
  });

  test('property 27: what stands for a secret in .env.production is not loaded as text', async () => {
    const { project } = await load('production');
    expect(await readFile(join(DIGITWIN, '.env.production'), 'utf8')).toContain('JWT_SECRET=${SECRET_JWT}');
    expect(JSON.stringify(project)).not.toContain('${SECRET_');
  });
});

describe.each(SERVICES)('the Dockerfile of %s', (service) => {
  const read = () => readFile(join(DIGITWIN, 'services', service, 'Dockerfile'), 'utf8');

  test('property 11: has a stage that builds and one that runs', async () => {
    const stages = (await read()).split(/^FROM /m).slice(1);
    expect(stages).toHaveLength(2);
    expect(stages[0]).toContain(' AS build\n');
    expect(stages[1]).toContain('COPY --from=build ');
  });

  test('property 12: has the packages that it needs in both stages, and no others', async () => {
    const needed = Object.keys(manifestOf(`services/${service}`).dependencies ?? {}).map((name) =>
      name.replace('@digitwin/', ''),
    );
    for (const stage of (await read()).split(/^FROM /m).slice(1)) {
      const copied = [...stage.matchAll(/^COPY .*packages\/(\w+) packages\/\w+$/gm)].map(([, name]) => name);
      expect(copied).toEqual(needed);
    }
  });

  test('property 13: generates the client of Prisma in both stages where it has one', async () => {
    const uses = Object.keys(manifestOf(`services/${service}`).dependencies ?? {}).includes('@digitwin/database');
    expect([...(await read()).matchAll(/^RUN npx --no-install prisma generate$/gm)]).toHaveLength(uses ? 2 : 0);
  });
});
