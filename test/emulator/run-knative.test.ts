import { afterEach, describe, expect, test } from 'vitest';
import type { Emulator } from '../../src/emulator/emulator.ts';
import { waitFor } from '../support/wait.ts';
import { call, create, open, patch, running, service } from './deployed.ts';
import { ask, endEmulators } from './emulated.ts';

afterEach(endEmulators);

const HOST = 'europe-west1-run';
const NAMESPACE = '/apis/serving.knative.dev/v1/namespaces/demo-project';

const of = (image: string, more: { annotations?: object; traffic?: object[]; env?: object[]; name?: string } = {}) => ({
  apiVersion: 'serving.knative.dev/v1',
  kind: 'Service',
  metadata: { name: 'api', namespace: 'demo-project', labels: { team: 'a' } },
  spec: {
    template: {
      metadata: {
        ...(more.name === undefined ? {} : { name: more.name }),
        annotations: { 'autoscaling.knative.dev/maxScale': '3', ...more.annotations },
      },
      spec: {
        containerConcurrency: 10,
        timeoutSeconds: 60,
        containers: [{ image, ...(more.env === undefined ? {} : { env: more.env }) }],
      },
    },
    ...(more.traffic === undefined ? {} : { traffic: more.traffic }),
  },
});

const get = async (emulator: Emulator, path = 'services/api') =>
  (await ask(emulator, 'GET', HOST, `${NAMESPACE}/${path}`)).body;

const condition = ({ status }: { status: { conditions: { type: string; status: string }[] } }, type: string) =>
  status.conditions.find((each) => each.type === type);

const reconciled = (emulator: Emulator) =>
  waitFor(
    async () => {
      const found = await get(emulator);
      return found.status.observedGeneration === found.metadata.generation &&
        condition(found, 'Ready')?.status !== 'Unknown'
        ? found
        : null;
    },
    { what: 'the service to be reconciled', timeout: 30_000 },
  );

describe('Cloud Run as v1', () => {
  test('a service made by v1 becomes ready, runs, and is the same one in v2', async () => {
    const { emulator, image } = await running();
    const made = await ask(emulator, 'POST', HOST, `${NAMESPACE}/services`, { body: of(await image('api')) });
    expect(made.status).toBe(200);
    expect(condition(made.body, 'Ready')).toMatchObject({ status: 'Unknown' });
    const ready = await reconciled(emulator);
    expect(ready).toMatchObject({
      kind: 'Service',
      metadata: { name: 'api', generation: 1, labels: { team: 'a', 'cloud.googleapis.com/location': 'europe-west1' } },
      spec: {
        template: { metadata: { annotations: { 'autoscaling.knative.dev/maxScale': '3' } } },
        traffic: [{ latestRevision: true, percent: 100 }],
      },
      status: { traffic: [{ latestRevision: true, percent: 100 }] },
    });
    for (const type of ['Ready', 'ConfigurationsReady', 'RoutesReady'])
      expect(condition(ready, type)?.status).toBe('True');
    const same = await service(emulator, 'api');
    expect(same).toMatchObject({
      uri: ready.status.url,
      labels: { team: 'a' },
      template: { maxInstanceRequestConcurrency: 10, timeout: '60s', scaling: { maxInstanceCount: 3 } },
    });
    await open(emulator, 'api');
    expect((await call(emulator, ready.status.url)).json.env.K_REVISION).toBe(ready.status.latestReadyRevisionName);

    const { items } = await get(emulator, 'revisions?labelSelector=serving.knative.dev/service%3Dapi');
    expect(items).toHaveLength(1);
    expect(items[0].status.imageDigest).toMatch(/@sha256:/);
    expect((await get(emulator, 'routes/api')).status.url).toBe(ready.status.url);
    expect((await get(emulator, 'configurations/api')).status.latestReadyRevisionName).toBe(items[0].metadata.name);
  });

  test('what is put with an old version is refused, with the current one it is taken', async () => {
    const { emulator, image } = await running();
    const [one, two] = [await image('api:1'), await image('api:2', { 'more.txt': '2' })];
    await create(emulator, 'api', { template: { containers: [{ image: one }] } });
    const before = await get(emulator);
    await patch(emulator, 'api', { ...(await service(emulator, 'api')), description: 'changed by another' });
    const put = (body: object) => ask(emulator, 'PUT', HOST, `${NAMESPACE}/services/api`, { body });
    const stale = await put(before);
    expect(stale.status).toBe(409);
    expect(stale.body.error.message).toContain(before.metadata.resourceVersion);
    const now = await get(emulator);
    expect(now.metadata.annotations['run.googleapis.com/description']).toBe('changed by another');
    const first = now.status.latestReadyRevisionName;
    now.spec.template.spec.containers[0].image = two;
    now.spec.template.metadata.name = 'api-two';
    now.spec.traffic = [
      { revisionName: first, percent: 90 },
      { revisionName: 'api-two', percent: 10, tag: 'next' },
    ];
    expect((await put(now)).status).toBe(200);
    const after = await reconciled(emulator);
    expect(after.status.traffic).toMatchObject([
      { revisionName: first, percent: 90 },
      {
        revisionName: 'api-two',
        percent: 10,
        tag: 'next',
        url: after.status.url.replace('https://', 'https://next---'),
      },
    ]);
    expect((await service(emulator, 'api')).traffic).toMatchObject([{ percent: 90 }, { percent: 10, tag: 'next' }]);
    now.metadata.resourceVersion = after.metadata.resourceVersion;
    now.spec.template.spec.timeoutSeconds = 30;
    const taken = await put(now);
    expect(taken.status).toBe(409);
    expect(taken.body.error.message).toContain("'api-two' with different configuration already exists");
    expect((await ask(emulator, 'DELETE', HOST, `${NAMESPACE}/services/api`)).body.status).toBe('Success');
    expect((await ask(emulator, 'GET', HOST, `${NAMESPACE}/services/api`)).status).toBe(404);
  });

  test('a failing revision is told in the conditions', async () => {
    const { emulator, image } = await running({ startupMs: 10_000 });
    const bad = await image('bad', { 'main.js': 'process.exit(1)' });
    await ask(emulator, 'POST', HOST, `${NAMESPACE}/services`, { body: of(bad) });
    const failed = await reconciled(emulator);
    expect(condition(failed, 'Ready')).toMatchObject({
      status: 'False',
      reason: 'RevisionFailed',
      message: expect.stringContaining('exited with code 1'),
    });
    const revision = await get(emulator, `revisions/${failed.status.latestCreatedRevisionName}`);
    expect(condition(revision, 'Ready')).toMatchObject({ status: 'False', reason: 'HealthCheckContainerError' });
    expect(failed.status.latestReadyRevisionName).toBeUndefined();
  });

  test('a region is needed to make one, and what is not modelled says so', async () => {
    const { emulator } = await running();
    const body = of('x');
    expect((await ask(emulator, 'POST', 'run', `${NAMESPACE}/services`, { body })).status).toBe(400);
    for (const path of [
      '/apis/domains.cloudrun.com/v1/namespaces/demo-project/domainmappings',
      '/apis/run.googleapis.com/v1/namespaces/demo-project/workerpools',
    ])
      expect((await ask(emulator, 'GET', HOST, path)).body.error).toMatchObject({
        code: 501,
        message: expect.stringContaining('does not model'),
      });
    const pools = await ask(emulator, 'GET', 'run', '/v2/projects/demo-project/locations/europe-west1/workerPools');
    expect(pools.body.error).toMatchObject({ code: 501, status: 'UNIMPLEMENTED' });
  });
});
