import { request, type IncomingMessage } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import type { Emulator } from '../../src/emulator/emulator.ts';
import { WebSocket } from 'ws';
import { waitFor } from '../support/wait.ts';
import { call, create, open, patch, running, service } from './deployed.ts';
import { ask, endEmulators } from './emulated.ts';

afterEach(endEmulators);

const isThere = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

async function deployed(template: object = {}, options: Parameters<typeof running>[0] = {}) {
  const { emulator, image } = await running(options);
  const reference = await image('api');
  const end = await create(emulator, 'api', { template: { containers: [{ image: reference }], ...template } });
  expect(end.error).toBeUndefined();
  await open(emulator, 'api');
  const { uri } = await service(emulator, 'api');
  return { emulator, uri, image: reference };
}

const series = async (emulator: Emulator, metric: string) => {
  const filter = encodeURIComponent(`metric.type="run.googleapis.com/${metric}"`);
  const interval = `interval.startTime=${new Date(0).toISOString()}&interval.endTime=${new Date(Date.now() + 60_000).toISOString()}`;
  const { status, body } = await ask(
    emulator,
    'GET',
    'monitoring',
    `/v3/projects/demo-project/timeSeries?filter=${filter}&${interval}`,
  );
  expect(status).toBe(200);
  return body.timeSeries ?? [];
};

/** An answer that does not end before its client leaves. */
const streamOf = (emulator: Emulator, uri: string): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const sent = request(`${emulator.url}/events`, { headers: { host: new URL(uri).host }, agent: false }, resolve);
    sent.on('error', reject);
    sent.end();
  });

describe('instances of a service', () => {
  test('end when nobody asks for anything, come back with the next request, and stay where a minimum is set', async () => {
    const { emulator, uri } = await deployed({}, { idleMs: 100 });
    const first = (await call(emulator, uri)).json.pid;
    await waitFor(() => !isThere(first), { what: 'the idle instance to end' });
    const second = (await call(emulator, uri)).json.pid;
    expect(second).not.toBe(first);
    await patch(emulator, 'api', { scaling: { minInstanceCount: 1 } }, '?updateMask=scaling');
    const kept = (await call(emulator, uri)).json.pid;
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(isThere(kept)).toBe(true);
    expect((await call(emulator, uri)).json.pid).toBe(kept);
  });

  test('are as many as requests at once need, within the limits; who waits too long is refused', async () => {
    const template = { maxInstanceRequestConcurrency: 1, scaling: { maxInstanceCount: 2 } };
    const { emulator, uri } = await deployed(template, { waitMs: 300 });
    const busy = await Promise.all([streamOf(emulator, uri), streamOf(emulator, uri)]);
    const started = () =>
      emulator.world.signals.logged().filter((entry) => JSON.stringify(entry).includes('"message":"started"'));
    await waitFor(() => started().length === 2, { what: 'two instances' });
    expect((await call(emulator, uri)).status).toBe(429);
    for (const stream of busy) stream.destroy();
    await waitFor(async () => (await call(emulator, uri)).status === 200, { what: 'an instance to be free again' });
  });

  test('a request that takes longer than its timeout, and a program that dies during one', async () => {
    const { emulator, uri } = await deployed({ timeout: '1s' });
    expect((await call(emulator, `${uri}/slow?ms=30000`)).status).toBe(504);
    expect((await call(emulator, `${uri}/exit`)).status).toBe(503);
    // A connection that the dying one's system still took is lost with it, as on Cloud Run.
    await waitFor(async () => (await call(emulator, uri)).status === 200, { what: 'another instance to answer' });
  });

  test('WebSockets and event streams pass', async () => {
    const { emulator, uri } = await deployed();
    const socket = new WebSocket(`${emulator.url.replace('http', 'ws')}/ws`, { headers: { host: new URL(uri).host } });
    const echoed = await new Promise<string>((resolve, reject) => {
      socket.once('error', reject);
      socket.once('open', () => socket.ping('hello'));
      // The program sends every byte back: a masked ping is no frame that a server may send, so the raw socket is read.
      socket.once('upgrade', ({ socket: raw }) =>
        raw.once('data', (bytes: Buffer) => resolve(bytes.subarray(0, 1).toString('hex'))),
      );
    });
    expect(echoed).toBe('89');
    socket.on('error', () => {});
    socket.terminate();

    const event = await new Promise<string>((resolve, reject) => {
      const sent = request(`${emulator.url}/events`, { headers: { host: new URL(uri).host }, agent: false });
      sent.once('response', (response) =>
        response.once('data', (bytes: Buffer) => {
          sent.destroy();
          resolve(bytes.toString());
        }),
      );
      sent.on('error', reject);
      sent.end();
    }).catch((error: unknown) => String(error));
    expect(event).toBe('data: one\n\n');
  });

  test('with session affinity a client stays with its revision and instance', async () => {
    const { emulator, uri } = await deployed({ sessionAffinity: true, maxInstanceRequestConcurrency: 1 });
    const busy = call(emulator, `${uri}/slow?ms=600`);
    const first = await call(emulator, uri);
    await busy;
    const cookie = String(first.headers['set-cookie']).split(';')[0] ?? '';
    expect(cookie).toMatch(/^GAESA=/);
    for (let each = 0; each < 5; each++)
      expect((await call(emulator, uri, { headers: { cookie } })).json.pid).toBe(first.json.pid);
  });

  test('what programs say and what is asked of them is in the log', async () => {
    const { emulator, uri } = await deployed();
    await call(emulator, `${uri}/say?text=careful`);
    const labels = { service_name: 'api', location: 'europe-west1', project_id: 'demo-project' };
    const logged = await waitFor(
      () => {
        const entries = emulator.world.signals.logged();
        return entries.some(({ textPayload }) => textPayload === 'careful') ? entries : null;
      },
      { what: 'the line' },
    );
    const find = (log: string) =>
      logged.filter(({ logName }) => String(logName).endsWith(encodeURIComponent(`run.googleapis.com/${log}`)));
    expect(find('stderr')).toMatchObject([
      { textPayload: 'careful', resource: { type: 'cloud_run_revision', labels } },
    ]);
    expect(find('stdout')).toMatchObject([
      { severity: 'INFO', jsonPayload: { message: 'started' }, resource: { labels } },
    ]);
    expect(find('requests')).toMatchObject([{ httpRequest: { status: 200, requestUrl: `${uri}/say?text=careful` } }]);
  });

  test('requests are counted by revision and class, each interval once and late', async () => {
    const { emulator, uri } = await deployed({}, { metricsStepMs: 200, metricsDelayMs: 100 });
    for (let each = 0; each < 6; each++) await call(emulator, `${uri}/status?code=${each < 4 ? 200 : 503}`);
    const total = async () => {
      const counted: Record<string, number> = {};
      for (const { metric, resource, points } of await series(emulator, 'request_count')) {
        expect(resource).toMatchObject({ type: 'cloud_run_revision', labels: { service_name: 'api' } });
        for (const { value } of points) {
          const name = metric.labels.response_code_class;
          counted[name] = (counted[name] ?? 0) + Number(value.int64Value);
        }
      }
      return counted;
    };
    await waitFor(async () => Object.values(await total()).reduce((sum, each) => sum + each, 0) === 6, {
      what: 'the counts',
    });
    expect(await total()).toEqual({ '2xx': 4, '5xx': 2 });
    const latencies = await series(emulator, 'request_latencies');
    const points = latencies.flatMap(
      (each: { points: { value: { distributionValue: { count: string } } }[] }) => each.points,
    );
    expect(
      points.reduce(
        (sum: number, { value }: { value: { distributionValue: { count: string } } }) =>
          sum + Number(value.distributionValue.count),
        0,
      ),
    ).toBe(6);
  });

  test('secrets are read at each start, and a secret, account, role or SQL instance that is not there is told', async () => {
    const { emulator, image } = await running({ idleMs: 100 });
    const reference = await image('api');
    const project = 'projects/demo-project';
    const email = 'api-run@demo-project.iam.gserviceaccount.com';
    const env = [{ name: 'TOKEN', valueSource: { secretKeyRef: { secret: 'token', version: 'latest' } } }];
    const template = { serviceAccount: email, containers: [{ image: reference, env }] };
    const attempt = (more: object = {}) =>
      patch(emulator, 'api', { template: { ...template, ...more } }, '?allowMissing=true');

    const unknown = await ask(
      emulator,
      'PATCH',
      'run',
      `/v2/${project}/locations/europe-west1/services/api?allowMissing=true`,
      { body: { template } },
    );
    expect(unknown.status).toBe(403);
    expect(unknown.body.error.message).toContain('iam.serviceaccounts.actAs');
    await ask(emulator, 'POST', 'iam', `/v1/${project}/serviceAccounts`, { body: { accountId: 'api-run' } });
    expect((await attempt()).error.message).toMatch(
      /Secret projects\/\d+\/secrets\/token\/versions\/latest was not found/,
    );
    await ask(emulator, 'POST', 'secretmanager', `/v1/${project}/secrets?secretId=token`, {
      body: { replication: { automatic: {} } },
    });
    const add = async (value: string) => {
      const payload = { data: Buffer.from(value).toString('base64') };
      await ask(emulator, 'POST', 'secretmanager', `/v1/${project}/secrets/token:addVersion`, { body: { payload } });
    };
    await add('first');
    expect((await attempt({ labels: { n: '1' } })).error.message).toContain('Permission denied on secret');
    const policy = { bindings: [{ role: 'roles/secretmanager.secretAccessor', members: [`serviceAccount:${email}`] }] };
    await ask(emulator, 'POST', 'secretmanager', `/v1/${project}/secrets/token:setIamPolicy`, { body: { policy } });
    expect((await attempt({ labels: { n: '2' } })).error).toBeUndefined();
    await open(emulator, 'api');
    const { uri } = await service(emulator, 'api');
    const before = (await call(emulator, uri)).json;
    expect(before.env.TOKEN).toBe('first');
    await add('second');
    await waitFor(() => !isThere(before.pid), { what: 'the instance to end' });
    expect((await call(emulator, uri)).json.env.TOKEN).toBe('second');

    const sql = {
      volumes: [{ name: 'cloudsql', cloudSqlInstance: { instances: ['demo-project:europe-west1:main'] } }],
    };
    expect((await attempt(sql)).error.message).toContain("'demo-project:europe-west1:main' was not found");
    expect((await call(emulator, uri)).status).toBe(200);
  });
});
