import { rmSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readKeeperInfo } from '../../src/platform/keeper-info.ts';
import { ask, freshConnections, kill, lives, world, type World } from '../fixtures/keeper/world.ts';
import { waitFor } from '../support/wait.ts';
import { freePort } from '../support/free-port.ts';

async function upWithPort(): Promise<{ it: World; port: number }> {
  const it = world();
  await it.start();
  const port = await freePort();
  await it.ports([port]);
  return { it, port };
}

/** Until a whole new set runs, of which none has the number of one of these. */
async function renewed(it: World, old: { keeper?: number; edge?: number; controller?: number }): Promise<void> {
  await waitFor(
    async () => {
      const now = await it.running();
      return now.keeper.pid !== old.keeper && now.edge.pid !== old.edge && now.controller?.pid !== old.controller;
    },
    { what: 'what was killed to be replaced', timeout: 20_000 },
  );
}

/** Requests that the killed process was just answering are lost; connections that wait for it are not. */
const refused = (failed: readonly string[]): string[] => failed.filter((reason) => reason !== 'ECONNRESET');

test('kill -9 of the edge refuses no connection', async () => {
  const { it, port } = await upWithPort();
  const load = freshConnections(port);
  for (let round = 0; round < 3; round++) {
    const { edge } = await it.running();
    kill(edge.pid);
    await renewed(it, { edge: edge.pid });
  }
  const { edge } = await it.running();
  expect(await ask(port)).toBe(edge.pid);
  expect(refused((await load.stop()).failed)).toEqual([]);
});

test('connections that come while there is no edge wait in the queue for the next one', async () => {
  const { it, port } = await upWithPort();
  const { edge } = await it.running();
  writeFileSync(it.edgeFile('slow'), '');
  kill(edge.pid);
  await waitFor(() => !lives(edge.pid), { what: 'the edge to be gone' });
  const asked = Array.from({ length: 300 }, () => ask(port));
  rmSync(it.edgeFile('slow'));
  const answers = new Set(await Promise.all(asked));
  expect(answers).toEqual(new Set([(await it.running()).edge.pid]));
});

test('kill -9 of the controller: traffic goes on, and requests to the API wait for the next one', async () => {
  const { it, port } = await upWithPort();
  const load = freshConnections(port);
  const { controller } = await it.running();
  const before = await it.api('/');
  kill(controller!.pid);
  await waitFor(() => !lives(controller!.pid), { what: 'the controller to be gone' });
  const after = await it.api('/');
  expect(before).toBe(controller!.pid);
  expect(after).not.toBe(before);
  expect((await load.stop()).failed).toEqual([]);
});

test('kill -9 of the keeper: the edge brings a new one up without losing a connection', async () => {
  const { it, port } = await upWithPort();
  const load = freshConnections(port);
  for (let round = 0; round < 3; round++) {
    const { keeper, edge, controller } = await it.running();
    kill(keeper.pid);
    await renewed(it, { keeper: keeper.pid, edge: edge.pid, controller: controller!.pid });
    await waitFor(() => !lives(edge.pid), { what: 'the old edge to leave' });
  }
  expect((await load.stop()).failed).toEqual([]);
  expect(await ask(port)).toBe((await it.running()).edge.pid);
});

test('after kill -9 of the keeper the controller comes first, unless the edge that served on dies', async () => {
  const it = world({ EVENKEEL_CONTROLLER_FIRST_MS: '120000' });
  await it.start();
  const port = await freePort();
  await it.ports([port]);
  const { keeper, edge } = await it.running();
  writeFileSync(it.edgeFile('no-controller'), '');
  kill(keeper.pid);
  const load = freshConnections(port);
  await waitFor(() => it.log().includes('started by an edge'), { what: 'another keeper' });
  const { controller } = await waitFor(async () => (await readKeeperInfo(it.paths))?.controllers?.[0] && it.running(), {
    what: 'a controller that is not ready',
  });
  expect(await ask(port)).toBe(edge.pid);
  expect(lives(controller!.pid)).toBe(true);

  kill(edge.pid);
  await renewed(it, { edge: edge.pid });
  expect(await ask(port)).toBe((await it.running()).edge.pid);
  expect(refused((await load.stop()).failed)).toEqual([]);
});

test('kill -9 of keeper and edge at once: the controller brings them back, on the same ports', async () => {
  const { it, port } = await upWithPort();
  const { keeper, edge } = await it.running();
  kill(keeper.pid);
  kill(edge.pid);
  await renewed(it, { keeper: keeper.pid, edge: edge.pid });
  expect(await ask(port)).toBe((await it.running()).edge.pid);
});

test('kill -9 of keeper and controller at once: the edge brings them back without losing a connection', async () => {
  const { it, port } = await upWithPort();
  const load = freshConnections(port);
  const { keeper, controller } = await it.running();
  kill(controller!.pid);
  kill(keeper.pid);
  await renewed(it, { keeper: keeper.pid, controller: controller!.pid });
  expect((await load.stop()).failed).toEqual([]);
});

test('kill -9 of all three: the next command brings everything back, on the same ports', async () => {
  const { it, port } = await upWithPort();
  const { keeper, edge, controller } = await it.running();
  for (const { pid } of [keeper, edge, controller!]) kill(pid);
  for (const { pid } of [keeper, edge, controller!]) await waitFor(() => !lives(pid), { what: `${pid} to be gone` });
  expect(await it.start()).toBe('started');
  expect(await waitFor(() => ask(port), { what: 'the port to answer' })).toBe((await it.running()).edge.pid);
});
