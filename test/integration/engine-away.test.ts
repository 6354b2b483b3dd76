import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Rollout } from '../../src/domain/rollout/rollout.ts';
import { ask } from '../../src/engine/emergency/ask.ts';
import { takenBackAtEdge } from '../../src/engine/emergency/at-the-edge.ts';
import { rollback } from '../../src/engine/operations/rollback.ts';
import { EvenkeelError } from '../../src/ports/errors.ts';
import type { Store } from '../../src/ports/store.ts';
import { shipping } from '../support/engine/shipping.ts';
import { openWorld, policy, service, type World } from '../support/engine/world.ts';

const scope = { project: 'shop', environment: 'production' };
const abort = { kind: 'abort' as const, by: 'ann', comment: 'slow', force: false };

let world: World;
beforeEach(async () => {
  world = await openWorld();
});
afterEach(() => world.close());

const { ship, reach, promoted, ended, read } = shipping(() => world);

const canary = service('api', { rollout: policy({ canary: [{ weight: 50, forMs: 3_600_000 }] }) });
const WRITES = ['saveRollout', 'addRequest', 'saveEnvironment', 'addReleases', 'setArtifact', 'createRollout'] as const;

/** From now on the store says this to every write; answers how to let it write again. */
function refuseWrites(code: string): () => void {
  const kept: Partial<Store> = {};
  for (const name of WRITES) {
    Object.assign(kept, { [name]: world.store[name] });
    Object.assign(world.store, { [name]: () => Promise.reject(new EvenkeelError({ code, what: `it says ${code}` })) });
  }
  return () => void Object.assign(world.store, kept);
}

const weights = (): Record<string, number> =>
  Object.fromEntries(
    [...world.traffic.table.values()].flatMap(({ config }) =>
      config.releases.map((each) => [each.release, each.weight]),
    ),
  );

async function inCanary(): Promise<Rollout> {
  await promoted(await ship([canary]));
  const rollout = await ship([canary]);
  await reach(rollout, ({ phase }) => phase === 'canary', 'its canary');
  return read(rollout);
}

describe.each(['store-readonly', 'store-busy', 'store-full'])('a store that says %s', (code) => {
  test('does not keep an abort from the edge, and hears of it later', async () => {
    const rollout = await inCanary();
    const again = refuseWrites(code);
    const asked = await ask(world.engine, rollout, abort);
    if (asked.written) throw new Error('it cannot be written');
    const { done, message } = await takenBackAtEdge(world.engine, rollout, asked, 'abort');
    expect(done, message).toBe(true);
    expect(message).toMatch(/api@1 has all traffic again\. The store does not know it yet/);
    expect(weights()['api@1']).toBe(100);
    expect(weights()['api@2'] ?? 0).toBe(0);
    expect((await read(rollout)).end).toBeNull();

    again();
    await ended(rollout);
    expect(await read(rollout)).toMatchObject({ end: 'aborted', reason: 'aborted by ann: slow' });
    expect(await world.store.requests(rollout.id, 0)).toHaveLength(1);
    expect(world.engine.deps.emergency.unwritten.of(scope)).toEqual([]);
    expect(weights()['api@1']).toBe(100);
  });

  test('refuses what does not take back', async () => {
    const rollout = await inCanary();
    const again = refuseWrites(code);
    await expect(ask(world.engine, rollout, { ...abort, kind: 'promote' })).rejects.toMatchObject({ code });
    expect(world.engine.deps.emergency.unwritten.of(scope)).toEqual([]);
    again();
    expect((await read(rollout)).phase).toBe('canary');
  });
});

test('a rollback in the window is a switch also without the store', async () => {
  await promoted(await ship([service('api')]));
  const rollout = await ship([service('api')]);
  await promoted(rollout);
  const again = refuseWrites('store-readonly');
  const back = { ...scope, service: 'api', all: false, to: null, comment: null, by: 'ann' };
  const { unwritten, message } = await rollback(world.engine, back);
  expect(unwritten, message).toEqual({ done: true });
  expect(weights()['api@1']).toBe(100);
  again();
  await ended(rollout);
  expect((await read(rollout)).end).toBe('rolled-back');
});

test('what was written before its writer could take note is not written twice', async () => {
  const rollout = await inCanary();
  const again = refuseWrites('store-busy');
  const asked = await ask(world.engine, rollout, abort);
  expect(asked.written).toBe(false);
  again();
  const [request] = world.engine.deps.emergency.unwritten.of(scope);
  if (request === undefined) throw new Error('nothing is kept');
  const { id: _id, project: _project, environment: _environment, ...entry } = request;
  await world.store.addRequest(entry);
  await ended(rollout);
  expect(await world.store.requests(rollout.id, 0)).toHaveLength(1);
});

test('what has stopped for its successor is not taken back without the store, which nobody would answer then', async () => {
  const alone = service('db', { overlap: false });
  await promoted(await ship([alone]));
  const rollout = await ship([alone]);
  await promoted(rollout);
  const again = refuseWrites('store-busy');
  await expect(ask(world.engine, await read(rollout), { ...abort, kind: 'rollback' })).rejects.toMatchObject({
    code: 'store-busy',
    why: expect.stringContaining('db@1 has stopped'),
    retryable: true,
  });
  expect(weights()).toMatchObject({ 'db@2': 100 });
  again();
});
