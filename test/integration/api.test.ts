import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { StatusReply } from '../../src/api/contract/status.ts';
import { unixClient, type UnixClient } from '../../src/platform/unix-http.ts';
import type { EdgeSample } from '../../src/ports/store.ts';
import { EvenkeelError } from '../../src/ports/errors.ts';
import type { LogReader } from '../../src/ports/logs.ts';
import { openApiWorld, TOKEN } from '../support/api-world.ts';
import { policy, project, service, type World } from '../support/engine/world.ts';
import { waitFor } from '../support/wait.ts';

const HOUR = 3_600_000;
const scope = { project: 'shop', environment: 'production' };
const HERE = '/api/v1/projects/shop/environments/production';

let world: World;
let client: UnixClient;
let socketPath: string;
let close: () => Promise<void>;
let read: LogReader['read'];
let samples: () => EdgeSample[];

beforeEach(async () => {
  read = async function* () {};
  samples = () => [];
  const opened = await openApiWorld({
    telemetry: {
      record: async () => {},
      edge: async () => samples(),
      instances: async () => [],
      maintain: async () => {},
      close: async () => {},
    },
    logs: { read: (query) => read(query), maintain: async () => {} },
  });
  ({ world, client, socketPath } = opened);
  close = () => opened.close();
});
afterEach(() => close());

const deploy = (config = service('api'), over = {}): Promise<unknown> =>
  client.json({
    method: 'POST',
    path: `${HERE}/deploy`,
    body: { definition: project([config]), ...over },
  });
const begun = async (config = service('api')): Promise<string> =>
  ((await deploy(config)) as { rollout: string | null }).rollout ?? '';

describe('who asks wrongly', () => {
  test('is refused without the token, whatever is asked', async () => {
    const stranger = unixClient({ socketPath, peer: 'The controller', token: 'guessed' });
    for (const path of ['/api/v1/server', '/api/v1/status', '/nothing'])
      expect(await stranger.reply({ path })).toMatchObject({ status: 401, body: { code: 'unauthorized', exit: 1 } });
    stranger.close();
  });

  test('is told what there is not', async () => {
    expect(await client.reply({ path: '/api/v1/nothing' })).toMatchObject({ status: 404, body: { code: 'not-found' } });
    for (const path of ['', '/story', '/events'])
      expect(await client.reply({ path: `/api/v1/rollouts/none${path}` })).toMatchObject({
        status: 404,
        body: { code: 'rollout-unknown' },
      });
    expect(await client.reply({ method: 'POST', path: `${HERE}/down`, body: {} })).toMatchObject({
      status: 404,
      body: { code: 'environment-unknown', exit: 1 },
    });
  });

  test('with another version than the server is told so, and what to do about it', async () => {
    const asks = (version: string): UnixClient =>
      unixClient({ socketPath, peer: 'The controller', token: TOKEN, headers: { 'evenkeel-version': version } });
    const [same, newer] = ['0', '0.2.0'].map(asks);
    expect(await same?.reply({ path: '/api/v1/nothing' })).toMatchObject({ body: { code: 'not-found', next: null } });
    expect(await newer?.reply({ path: '/api/v1/nothing' })).toMatchObject({
      status: 404,
      body: {
        code: 'not-found',
        title: expect.stringContaining('evenkeel 0.2.0, and the server still runs 0'),
        next: expect.stringContaining('evenkeel server restart'),
      },
    });
    expect(await newer?.reply({ path: `${HERE}/logs?job=dance` })).toMatchObject({
      status: 400,
      body: { code: 'bad-request', detail: expect.stringContaining('job') },
    });
    // What has another reason is told by that reason.
    const tooLong = { method: 'POST' as const, path: `${HERE}/deploy`, body: { label: 'x'.repeat(4 * 1024 * 1024) } };
    const longAnswer = await newer?.reply(tooLong);
    expect(longAnswer).toMatchObject({ body: { code: 'request-too-large', title: expect.stringMatching(/4 MiB/) } });
    expect(await same?.reply(tooLong)).toEqual(longAnswer);
    // What both understand is answered, whoever asks.
    expect(await newer?.json({ path: '/api/v1/rollouts' })).toEqual({ rollouts: [], next: null });
    for (const each of [same, newer]) each?.close();
  });

  test('for logs of a static service is told that there are none, and what there is', async () => {
    await begun(service('web', { kind: 'static', run: null, static: { dir: 'dist', spa: false } }));
    const of = (name: string) => client.reply({ path: `${HERE}/logs?service=${name}` });
    expect(await of('web')).toMatchObject({
      body: {
        code: 'no-logs',
        title: expect.stringContaining('web is static'),
        next: expect.stringMatching(/logs web --access --env production.*`accessLog: true`.*--job build/),
      },
    });
    expect(await of('nobody')).toMatchObject({
      body: { title: 'no instance matches nobody', next: expect.stringContaining('releases --env production') },
    });
  });

  test('is told which field cannot be read, and nothing is begun', async () => {
    await expect(deploy(service('api'), { replace: 7 })).rejects.toMatchObject({
      code: 'bad-request',
      why: expect.stringContaining('replace:'),
    });
    expect(await client.reply({ path: `${HERE}/logs?lines=many` })).toMatchObject({ status: 400 });
    expect(await client.reply({ path: '/api/v1/rollouts?limit=0' })).toMatchObject({ status: 400 });
    expect(await client.json({ path: '/api/v1/rollouts' })).toEqual({ rollouts: [], next: null });
  });

  test('gets 409 for what is under way', async () => {
    await begun(service('api', { build: 'make', rollout: policy({ rollbackWindowMs: HOUR }) }));
    world.builder.observe = async () => ({ state: 'running', detail: '' });
    await expect(deploy()).rejects.toMatchObject({ code: 'rollout-under-way', exit: 1 });
  });
});

test('no value of a configuration is in any reply', async () => {
  const id = await begun(service('api', { env: { PASSWORD: ['hunter2'], TOKEN: [{ secret: 'TOKEN' }] } }));
  const paths = ['/api/v1/status', '/api/v1/rollouts', `/api/v1/rollouts/${id}`, `/api/v1/rollouts/${id}/story`];
  for (const path of [...paths, `${HERE}/releases`])
    expect(JSON.stringify(await client.json({ path }))).not.toContain('hunter2');
});

test('status of an environment whose edge is away says unknown, not healthy', async () => {
  await begun();
  await waitFor(async () => (await statusOf()).health === 'healthy', { what: 'it to be healthy' });
  world.traffic.down = true;
  expect(await statusOf()).toMatchObject({ health: 'unknown', detail: 'the edge does not answer' });
});

test('status of a service whose secret was removed says why it is not started again', async () => {
  const stays = { rollout: policy({ rollbackWindowMs: HOUR }) };
  await begun(service('api', { env: { TOKEN: [{ secret: 'TOKEN' }] }, ...stays }));
  await waitFor(async () => (await statusOf()).health === 'healthy', { what: 'it to be healthy' });
  world.secrets.resolve = async () => {
    throw new EvenkeelError({ code: 'secret-missing', what: 'the secret TOKEN is not set' });
  };
  const [instance] = await world.runtime.observe(scope);
  world.runtime.crash(instance?.id ?? '');
  await waitFor(async () => (await statusOf()).detail?.includes('the secret TOKEN is not set'), { what: 'the reason' });
  expect(await statusOf()).toMatchObject({ health: 'down' });
});

test('status counts the time without requests as well', async () => {
  await begun();
  const sample = { key: 'shop/production/api', release: 'api@1', classes: [0, 5, 0, 0, 0], ttfb: [] };
  samples = () => [{ ...sample, at: world.clock.now() - 40_000, requests: 5, bad: 1 }];
  const { traffic } = await statusOf();
  // Not 0.5: those five came within one interval, and the others had none.
  expect(traffic?.requestsPerSecond).toBeCloseTo(0.1, 1);
  expect(traffic?.errorRate).toBe(0.2);
});

test('status of what is being brought down is not yet stopped', async () => {
  world.behave.instance = () => ({ stopsAfterMs: null });
  await begun(service('api', { stopGraceMs: HOUR }));
  await waitFor(async () => (await statusOf()).health === 'healthy', { what: 'it to be healthy' });
  const asked = client.reply({ method: 'POST', path: `${HERE}/down`, body: {} });
  await waitFor(async () => (await statusOf()).detail?.startsWith('being brought down'), { what: 'it to be said' });
  await asked;
  expect(await statusOf()).toMatchObject({ health: 'stopped' });
});

async function statusOf(): Promise<StatusReply['environments'][number]['services'][number] | Record<string, never>> {
  const reply = (await client.json({ path: '/api/v1/status' })) as StatusReply;
  return reply.environments[0]?.services[0] ?? {};
}

describe('the events of a rollout', () => {
  test('end with it, and output that comes later brings nobody down', async () => {
    let late = (): void => {};
    const told = new Promise<void>((resolve) => (late = resolve));
    read = async function* ({ signal }) {
      if (!signal.aborted) await once(signal, 'abort');
      // What was read before the end is still handed over.
      for (let line = 0; line < 3; line++)
        yield { at: null, line: `line ${line}`, service: 'api', release: null, instance: 'job' };
      late();
    };
    const id = await begun();
    const types = new Set<string>();
    for await (const event of client.events({ path: `/api/v1/rollouts/${id}/events` }))
      if (event !== null) types.add((JSON.parse(event.data) as { type: string }).type);
    expect(types).toEqual(new Set(['journal', 'rollout']));
    await told;
    expect(await client.json({ path: '/api/v1/rollouts' })).toMatchObject({ rollouts: [{ id, end: 'complete' }] });
  });

  test('wait for a reader who has stopped reading, however much a job writes', async () => {
    let handed = 0;
    read = async function* ({ signal }) {
      while (!signal.aborted && handed < 200_000) {
        handed++;
        yield { at: null, line: 'x'.repeat(1000), service: 'api', release: null, instance: 'job' };
      }
    };
    const id = await begun();
    const socket: Socket = connect(socketPath);
    await once(socket, 'connect');
    socket.pause();
    socket.write(`GET /api/v1/rollouts/${id}/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${TOKEN}\r\n\r\n`);
    await waitFor(async () => handed > 0, { what: 'output to be sent' });
    let before = -1;
    await waitFor(
      async () => {
        const still = handed === before;
        before = handed;
        return still;
      },
      { what: 'the output to stand still' },
    );
    expect(handed).toBeLessThan(20_000);
    socket.destroy();
  });
});

describe('a request to a rollout', () => {
  const ask = async (id: string, kind: string): Promise<{ answer: unknown }> =>
    (await client.json({
      method: 'POST',
      path: `/api/v1/rollouts/${id}/requests`,
      body: { kind },
    })) as { answer: unknown };

  test('is answered with what came of it, by a code where nothing did', async () => {
    world.builder.observe = async () => ({ state: 'running', detail: '' });
    const id = await begun(service('api', { build: 'make' }));
    expect((await ask(id, 'resume')).answer).toMatchObject({ refused: 'not-paused' });
    expect((await ask(id, 'pause')).answer).toEqual({ refused: null, reason: 'paused by operator' });
    expect((await ask(id, 'pause')).answer).toMatchObject({ refused: 'already-paused' });
    expect((await ask(id, 'promote')).answer).toMatchObject({ refused: 'no-effect' });
  });
});

describe('the output of jobs', () => {
  const wrote = async (query: string): Promise<string[]> => {
    read = async function* ({ files }) {
      for (const { file, ...of } of files) yield { at: null, ...of, line: file };
    };
    const path = `${HERE}/logs?${query}`;
    const lines: string[] = [];
    for await (const event of client.events({ path })) {
      if (event === null) continue;
      const { service: name, release, line: file } = JSON.parse(event.data) as Record<string, string>;
      lines.push(`${name} ${release} ${file}`);
    }
    return lines;
  };

  test('is that of the last rollout that had such a job, or of the one that brought a release', async () => {
    const first = await begun(service('api', { build: 'make', migrate: 'up' }));
    // Time runs ahead here: its window may be over before anybody looks.
    await waitFor(async () => (await world.store.rollout(first))?.promotedAt !== null, { what: 'promotion' });
    const second = await begun(service('api', { build: 'make' }));
    expect(await wrote('job=build')).toEqual([`api api@2 /logs/${second}.build.api`]);
    expect(await wrote('job=build&service=api&release=api@1')).toEqual([`api api@1 /logs/${first}.build.api`]);
    expect(await wrote('job=migrate')).toEqual([`api api@1 /logs/${first}.migrate.api`]);
  });

  test('that there never was says so', async () => {
    await begun();
    expect(await client.reply({ path: `${HERE}/logs?job=check` })).toMatchObject({
      body: { code: 'no-logs', title: 'no rollout had a check job' },
    });
    expect(await client.reply({ path: `${HERE}/logs?job=dance` })).toMatchObject({
      status: 400,
    });
  });
});
