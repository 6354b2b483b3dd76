import { createSign } from 'node:crypto';
import { afterEach, describe, expect, test } from 'vitest';
import { ask, emulated, endEmulators } from './emulated.ts';
import { pushImage } from '../../src/emulator/apis/artifactregistry-images.ts';

afterEach(endEmulators);

const P = 'projects/demo-project';

describe('accounts', () => {
  test('an account, its key, and a token that the key gives', async () => {
    const emulator = await emulated({ on: ['iam', 'iamcredentials'] });
    const email = 'api-runner@demo-project.iam.gserviceaccount.com';
    const made = await ask(emulator, 'POST', 'iam', `/v1/${P}/serviceAccounts`, {
      body: { accountId: 'api-runner', serviceAccount: { displayName: 'api' } },
    });
    expect(made.body).toMatchObject({ email, displayName: 'api' });
    const again = await ask(emulator, 'POST', 'iam', `/v1/${P}/serviceAccounts`, { body: { accountId: 'api-runner' } });
    expect(again).toMatchObject({ status: 409, body: { error: { status: 'ALREADY_EXISTS' } } });
    const key = await ask(emulator, 'POST', 'iam', `/v1/${P}/serviceAccounts/${email}/keys`, { body: {} });
    const file = JSON.parse(Buffer.from(key.body.privateKeyData, 'base64').toString());

    const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const claims = { iss: email, scope: 'x', aud: file.token_uri, exp: Math.floor(Date.now() / 1000) + 600 };
    const content = `${encoded({ alg: 'RS256', kid: file.private_key_id })}.${encoded(claims)}`;
    const signature = createSign('sha256').update(content).sign(file.private_key, 'base64url');
    const grant = (assertion: string) =>
      ask(emulator, 'POST', 'oauth2', '/token', {
        token: null,
        body: Buffer.from(
          new URLSearchParams({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion }).toString(),
        ),
      });
    const token = (await grant(`${content}.${signature}`)).body.access_token;
    expect((await grant(`${content}.${signature.slice(1)}`)).status).toBe(400);
    const listed = await ask(emulator, 'GET', 'iam', `/v1/${P}/serviceAccounts`, { token });
    expect(listed.body.accounts).toHaveLength(1);

    const identity = await ask(
      emulator,
      'POST',
      'iamcredentials',
      `/v1/projects/-/serviceAccounts/${email}:generateIdToken`,
      {
        body: { audience: 'https://api.run.app' },
      },
    );
    expect(emulator.world.identities.verified(identity.body.token)).toMatchObject({
      caller: { email },
      audience: 'https://api.run.app',
    });
    expect((await ask(emulator, 'DELETE', 'iam', `/v1/${P}/serviceAccounts/${email}`)).status).toBe(200);
    expect((await ask(emulator, 'GET', 'iam', `/v1/${P}/serviceAccounts/${email}`)).status).toBe(404);
  });
});

describe('images', () => {
  test('a repository, and images whose tags move', async () => {
    const emulator = await emulated({ on: ['artifactregistry'] });
    const location = `/v1/${P}/locations/europe-west1`;
    const begun = await ask(emulator, 'POST', 'artifactregistry', `${location}/repositories?repositoryId=apps`, {
      body: { format: 'DOCKER', labels: { a: 'b' } },
    });
    const ended = await ask(emulator, 'GET', 'artifactregistry', `/v1/${String(begun.body.name)}`);
    expect(ended.body).toMatchObject({ done: true, response: { format: 'DOCKER' } });
    const repository = `${P}/locations/europe-west1/repositories/apps`;
    const digest = (letter: string): string => `sha256:${letter.repeat(64)}`;
    for (const letter of ['a', 'b'])
      pushImage(emulator.world, {
        repository,
        package: 'team/api',
        digest: digest(letter),
        tags: ['latest', letter],
        sizeBytes: 10,
      });
    const images = await ask(emulator, 'GET', 'artifactregistry', `/v1/${repository}/dockerImages`);
    expect(images.body.dockerImages).toMatchObject([{ tags: ['a'] }, { tags: ['b', 'latest'], imageSizeBytes: '10' }]);
    const packages = await ask(emulator, 'GET', 'artifactregistry', `/v1/${repository}/packages`);
    const [{ name }] = packages.body.packages;
    expect(name).toBe(`${repository}/packages/team%2Fapi`);
    const tags = await ask(emulator, 'GET', 'artifactregistry', `/v1/${String(name)}/tags`);
    expect(tags.body.tags).toHaveLength(3);
    expect(
      (await ask(emulator, 'DELETE', 'artifactregistry', `/v1/${String(name)}/versions/${digest('a')}`)).status,
    ).toBe(200);
    const kept = await ask(emulator, 'GET', 'artifactregistry', `/v1/${repository}`);
    expect(kept.body.sizeBytes).toBe('10');
  });
});

describe('networks, clusters and billing', () => {
  test('a connector becomes ready and goes', async () => {
    const emulator = await emulated({ on: ['vpcaccess'] });
    const connectors = `/v1/${P}/locations/europe-west1/connectors`;
    const body = { network: 'default', ipCidrRange: '10.8.0.0/28', minInstances: 2, maxInstances: 3 };
    const begun = await ask(emulator, 'POST', 'vpcaccess', `${connectors}?connectorId=main`, { body });
    expect(begun.body.done).toBeUndefined();
    expect((await ask(emulator, 'GET', 'vpcaccess', `${connectors}/main`)).body).toMatchObject({
      ...body,
      state: 'READY',
    });
    expect((await ask(emulator, 'POST', 'vpcaccess', `${connectors}?connectorId=main`, { body })).status).toBe(409);
    await ask(emulator, 'DELETE', 'vpcaccess', `${connectors}/main`);
    expect((await ask(emulator, 'GET', 'vpcaccess', connectors)).body).toEqual({ connectors: [] });
  });

  test('clusters are found in any place', async () => {
    const emulator = await emulated({ on: ['container'] });
    await ask(emulator, 'POST', 'container', `/v1/${P}/locations/europe-west1/clusters`, {
      body: { cluster: { name: 'old', initialNodeCount: 2 } },
    });
    const all = await ask(emulator, 'GET', 'container', `/v1/${P}/locations/-/clusters`);
    expect(all.body.clusters).toMatchObject([{ name: 'old', status: 'RUNNING', currentNodeCount: 2 }]);
    await ask(emulator, 'DELETE', 'container', `/v1/${P}/locations/europe-west1/clusters/old`);
    expect((await ask(emulator, 'GET', 'container', `/v1/${P}/locations/-/clusters`)).body).toEqual({});
  });

  test('billing, budgets and prices', async () => {
    const emulator = await emulated();
    const info = await ask(emulator, 'GET', 'cloudbilling', `/v1/${P}/billingInfo`);
    expect(info.body).toMatchObject({ billingEnabled: true });
    const budgets = `/v1/${String(info.body.billingAccountName)}/budgets`;
    const made = await ask(emulator, 'POST', 'billingbudgets', budgets, {
      body: {
        displayName: 'demo',
        amount: { specifiedAmount: { currencyCode: 'USD', units: '50' } },
        budgetFilter: { projects: [P] },
        thresholdRules: [{ thresholdPercent: 0.5 }, { thresholdPercent: 1 }],
      },
    });
    expect(made.status).toBe(200);
    const patched = await ask(
      emulator,
      'PATCH',
      'billingbudgets',
      `/v1/${String(made.body.name)}?updateMask=displayName`,
      {
        body: { displayName: 'other', etag: made.body.etag },
      },
    );
    expect(patched.body).toMatchObject({ displayName: 'other', thresholdRules: [{ thresholdPercent: 0.5 }, {}] });
    expect((await ask(emulator, 'GET', 'billingbudgets', budgets)).body.budgets).toHaveLength(1);
    const [service] = (await ask(emulator, 'GET', 'cloudbilling', '/v1/services')).body.services;
    expect((await ask(emulator, 'GET', 'cloudbilling', `/v1/${String(service.name)}/skus`)).body.skus).toHaveLength(1);
  });
});

describe('what is watched', () => {
  test('checks and policies', async () => {
    const emulator = await emulated();
    const check = {
      displayName: 'api up',
      monitoredResource: { type: 'uptime_url', labels: { host: 'api.run.app', project_id: 'demo-project' } },
      httpCheck: { path: '/health', port: 443, useSsl: true },
      period: '60s',
    };
    const made = await ask(emulator, 'POST', 'monitoring', `/v3/${P}/uptimeCheckConfigs`, { body: check });
    expect(made.body).toMatchObject(check);
    const policy = {
      displayName: 'errors',
      combiner: 'OR',
      conditions: [{ displayName: 'c', conditionAbsent: { filter: 'x' } }],
    };
    const alert = await ask(emulator, 'POST', 'monitoring', `/v3/${P}/alertPolicies`, { body: policy });
    expect(alert.body.conditions[0].name).toContain(alert.body.name);
    expect((await ask(emulator, 'GET', 'monitoring', `/v3/${P}/alertPolicies`)).body.alertPolicies).toHaveLength(1);
    expect((await ask(emulator, 'DELETE', 'monitoring', `/v3/${String(made.body.name)}`)).status).toBe(200);
    expect((await ask(emulator, 'GET', 'monitoring', `/v3/${P}/uptimeCheckConfigs`)).body.uptimeCheckConfigs).toEqual(
      [],
    );
  });

  test('counts and latencies are joined as asked', async () => {
    const emulator = await emulated();
    const now = Math.floor(Date.now() / 60_000) * 60_000;
    const measure = (code: string, value: number | number[], metric = 'request_count', revision = 'api-1') =>
      emulator.world.signals.measure({
        project: 'demo-project',
        metric: `run.googleapis.com/${metric}`,
        labels: { response_code_class: code },
        resource: { type: 'cloud_run_revision', labels: { service_name: 'api', revision_name: revision } },
        from: now - 60_000,
        to: now,
        value,
      });
    measure('2xx', 90);
    measure('5xx', 10);
    measure('2xx', 7, 'request_count', 'api-2');
    measure('2xx', [10, 20, 1000], 'request_latencies');
    const series = (query: Record<string, string>) => {
      const interval = {
        'interval.startTime': new Date(now - 600_000).toISOString(),
        'interval.endTime': new Date(now).toISOString(),
      };
      return ask(
        emulator,
        'GET',
        'monitoring',
        `/v3/${P}/timeSeries?${new URLSearchParams({ ...interval, ...query }).toString()}`,
      );
    };
    const filter = 'metric.type = "run.googleapis.com/request_count" AND resource.labels.revision_name = "api-1"';
    const raw = await series({ filter });
    expect(raw.body.timeSeries).toHaveLength(2);
    const errors = await series({ filter: `${filter} AND metric.labels.response_code_class = "5xx"` });
    expect(errors.body.timeSeries[0].points).toMatchObject([{ value: { int64Value: '10' } }]);
    const sums = await series({
      filter: 'metric.type="run.googleapis.com/request_count"',
      'aggregation.alignmentPeriod': '60s',
      'aggregation.perSeriesAligner': 'ALIGN_DELTA',
      'aggregation.crossSeriesReducer': 'REDUCE_SUM',
      'aggregation.groupByFields': 'resource.label.revision_name',
    });
    const byRevision = sums.body.timeSeries.map(
      (one: { resource: { labels: { revision_name: string } }; points: [{ value: { int64Value: string } }] }) => [
        one.resource.labels.revision_name,
        one.points[0].value.int64Value,
      ],
    );
    expect(byRevision).toEqual([
      ['api-1', '100'],
      ['api-2', '7'],
    ]);
    const latencies = await series({ filter: 'metric.type="run.googleapis.com/request_latencies"' });
    const { distributionValue } = latencies.body.timeSeries[0].points[0].value;
    expect(distributionValue).toMatchObject({ count: '3' });
    expect(distributionValue.bucketCounts.reduce((sum: number, count: string) => sum + Number(count), 0)).toBe(3);
    const p95 = await series({
      filter: 'metric.type="run.googleapis.com/request_latencies"',
      'aggregation.alignmentPeriod': '60s',
      'aggregation.perSeriesAligner': 'ALIGN_PERCENTILE_95',
    });
    expect(p95.body.timeSeries[0].points[0].value.doubleValue).toBe(1000);
    expect((await series({ filter: 'resource.type="x"' })).status).toBe(400);
  });

  test('log entries are written, filtered and paged; retention is changed', async () => {
    const emulator = await emulated();
    const entry = (textPayload: string, severity: string, second: number) => ({
      textPayload,
      severity,
      timestamp: `2026-01-01T00:00:0${String(second)}Z`,
    });
    const written = await ask(emulator, 'POST', 'logging', '/v2/entries:write', {
      body: {
        logName: `${P}/logs/run.googleapis.com%2Fstdout`,
        resource: { type: 'cloud_run_revision', labels: { service_name: 'api' } },
        entries: [entry('one', 'INFO', 1), entry('two', 'ERROR', 2), entry('three', 'WARNING', 3)],
      },
    });
    expect(written.status).toBe(200);
    const list = async (body: object): Promise<string[]> => {
      const found = await ask(emulator, 'POST', 'logging', '/v2/entries:list', {
        body: { resourceNames: [P], ...body },
      });
      return (found.body.entries ?? []).map(({ textPayload }: { textPayload: string }) => textPayload);
    };
    expect(await list({ orderBy: 'timestamp desc' })).toEqual(['three', 'two', 'one']);
    expect(await list({ filter: 'severity>=WARNING resource.labels.service_name="api"' })).toEqual(['two', 'three']);
    expect(await list({ filter: 'timestamp>"2026-01-01T00:00:01Z" AND NOT textPayload:"thr"' })).toEqual(['two']);
    expect(
      await list({ filter: '(severity=INFO OR severity=ERROR) AND resource.type=("a" OR "cloud_run_revision")' }),
    ).toEqual(['one', 'two']);
    const bucket = `/v2/${P}/locations/global/buckets/_Default`;
    expect((await ask(emulator, 'GET', 'logging', bucket)).body.retentionDays).toBe(30);
    const patched = await ask(emulator, 'PATCH', 'logging', `${bucket}?updateMask=retentionDays`, {
      body: { retentionDays: 90 },
    });
    expect(patched.body.retentionDays).toBe(90);
    const sink = await ask(emulator, 'POST', 'logging', `/v2/${P}/sinks`, {
      body: { name: 'mine', destination: 'storage.googleapis.com/x' },
    });
    expect(sink.body).toMatchObject({ name: 'mine' });
  });
});
