import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/platform/clock.ts';
import type { UnixClient, UnixReply } from '../../src/platform/unix-http.ts';
import { openApi, type SocketApi } from '../support/engine/api.ts';
import { openWorld, project, service, type World } from '../support/engine/world.ts';

const HERE = '/api/v1/projects/shop/environments/production';
const RESTART = '/api/v1/server/restart-edge';

let world: World;
let api: SocketApi;
let ann: UnixClient;
let restarts: number;
let edge: () => Promise<{ ok: boolean; reason: string }>;

beforeEach(async () => {
  world = await openWorld();
  restarts = 0;
  edge = async () => ({ ok: true, reason: `${restarts}` });
  api = await controller();
  ann = api.client();
});
afterEach(async () => {
  await api.close();
  await world.close();
});

/** The API as a controller with this fence has it; those before it remember nothing. */
function controller(fence = world.engine.deps.fence): Promise<SocketApi> {
  const deps = { ...world.engine.deps, clock: systemClock, fence };
  return openApi(
    { ...world, engine: { ...world.engine, deps } },
    {
      restartEdge: () => {
        restarts++;
        return edge();
      },
    },
  );
}

/** Whoever had the fence before is gone, in the middle of what it did. */
async function another(): Promise<void> {
  const fence = await world.store.nextFence();
  world.store.actAs(fence);
  const old = api;
  api = await controller(fence);
  ann = api.client();
  void old.close();
}

const ask = (path: string, body: object, key: string | null, client = ann): Promise<UnixReply> =>
  client.reply({ method: 'POST', path, body, ...(key === null ? {} : { headers: { 'idempotency-key': key } }) });
const deploy = (key: string, over: object = {}): Promise<UnixReply> =>
  ask(`${HERE}/deploy`, { definition: project([service('api')]), ...over }, key);
const rollouts = async (): Promise<number> =>
  ((await ann.json({ path: '/api/v1/rollouts' })) as { rollouts: object[] }).rollouts.length;

describe('a call with a key', () => {
  test('is carried out once, and answered alike, also by the next controller', async () => {
    const first = await deploy('k');
    expect(first).toMatchObject({ status: 200, body: { rollout: expect.any(String) } });
    expect(await deploy('k')).toEqual(first);
    await another();
    expect(await deploy('k')).toEqual(first);
    expect(await rollouts()).toBe(1);
    // The order in which an object is written says nothing.
    const [definition] = [project([service('api')])];
    expect(await ask(`${HERE}/deploy`, { label: null, definition }, 'k')).toEqual(first);
  });

  test('is answered with the first refusal, and not with one that may have passed', async () => {
    const first = await ask(`${HERE}/down`, {}, 'k');
    expect(first).toMatchObject({ status: 404, body: { code: 'environment-unknown' } });
    await deploy('d');
    expect(await ask(`${HERE}/down`, {}, 'k')).toEqual(first);
    const { acts } = (await ann.json({ path: '/api/v1/audit?operation=down' })) as { acts: object[] };
    expect(acts).toHaveLength(1);
    world.engine.deps.emergency.awaySince = 1;
    expect(await deploy('later', { label: 'v2' })).toMatchObject({ status: 503 });
    world.engine.deps.emergency.awaySince = null;
    expect(await deploy('later', { label: 'v2' })).not.toMatchObject({ status: 503 });
  });

  test('is refused with another content, and so is the key of what it is not', async () => {
    await deploy('k');
    const reused = { status: 422, body: { code: 'idempotency-key-reused' } };
    expect(await deploy('k', { label: 'v2' })).toMatchObject(reused);
    expect(await ask(RESTART, {}, 'k')).toMatchObject(reused);
    expect(await ask(RESTART, {}, 'bad key')).toMatchObject({ status: 400, body: { code: 'bad-request' } });
    expect(restarts).toBe(0);
    const { acts } = (await ann.json({ path: '/api/v1/audit?result=refused' })) as { acts: { code: string }[] };
    expect(acts.map(({ code }) => code)).toEqual(['bad-request', 'idempotency-key-reused', 'idempotency-key-reused']);
  });

  test('is one of whoever asks: others have keys of their own', async () => {
    await ask(RESTART, {}, 'k');
    await ask(RESTART, {}, 'k', api.client('ben'));
    await ask(RESTART, {}, null);
    await ask(RESTART, {}, null);
    expect(restarts).toBe(4);
  });

  test('waits for the first one that is under way, and is answered with it', async () => {
    const end = Promise.withResolvers<{ ok: boolean; reason: string }>();
    edge = () => end.promise;
    const both = [ask(RESTART, {}, 'k'), ask(RESTART, {}, 'k')];
    await expect.poll(() => restarts).toBe(1);
    expect(await ask('/api/v1/server/stop', { instances: false }, 'k')).toMatchObject({ status: 422 });
    end.resolve({ ok: true, reason: 'once' });
    expect(await Promise.all(both)).toMatchObject([{ body: { reason: 'once' } }, { body: { reason: 'once' } }]);
    expect(restarts).toBe(1);
  });

  test('keeps nothing from which a secret could be found', async () => {
    const kept: string[] = [];
    const { claimKey } = world.store;
    world.store.claimKey = (claim) => {
      kept.push(JSON.stringify(claim));
      return claimKey(claim);
    };
    for (const key of ['a-key-of-ann', 'another-one'])
      await ask(`${HERE}/secrets`, { secrets: { KEY: 'swordfish' } }, key);
    expect(kept).toHaveLength(2);
    expect(kept.join('')).not.toMatch(/swordfish|a-key-of-ann/);
    const [first, second] = kept.map((each) => (JSON.parse(each) as { content: string }).content);
    expect(first).not.toBe(second);
  });
});

describe('a call whose controller died in the middle of it', () => {
  const never = new Promise<never>(() => undefined);

  test('is said to be unknown, with what to do, and is not begun again', async () => {
    const { createRollout } = world.store;
    world.store.createRollout = async (...args) => {
      await createRollout(...args);
      return never;
    };
    void deploy('k').catch(() => undefined);
    await expect.poll(rollouts).toBe(1);
    world.store.createRollout = createRollout;
    await another();
    expect(await deploy('k')).toMatchObject({
      status: 409,
      body: { code: 'outcome-unknown', retryable: false, next: expect.stringContaining('evenkeel rollouts') },
    });
    expect(await rollouts()).toBe(1);
  });

  test('is carried out again where twice is as good as once', async () => {
    edge = () => never;
    void ask(RESTART, {}, 'k').catch(() => undefined);
    await expect.poll(() => restarts).toBe(1);
    edge = async () => ({ ok: true, reason: 'again' });
    await another();
    expect(await ask(RESTART, {}, 'k')).toMatchObject({ status: 200, body: { reason: 'again' } });
    expect(await ask(RESTART, {}, 'k')).toMatchObject({ status: 200, body: { reason: 'again' } });
    expect(restarts).toBe(2);
  });
});
