import { rmSync, writeFileSync, renameSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { spawnNode } from '../../src/platform/child.ts';
import { entryFile } from '../../src/platform/entry.ts';
import { lockHolder } from '../../src/platform/lock.ts';
import { ask, freshConnections, kill, lives, world, type World } from '../fixtures/keeper/world.ts';
import { waitFor } from '../support/wait.ts';
import { freePort } from '../support/free-port.ts';

async function upWithPort(extra: NodeJS.ProcessEnv = {}): Promise<{ it: World; port: number }> {
  const it = world(extra);
  await it.start();
  const port = await freePort();
  await it.ports([port]);
  return { it, port };
}

/** The keeper that holds the lock, once it is not this one. */
function nextKeeper(it: World, former: number): Promise<number> {
  return waitFor(
    async () => {
      const holder = await lockHolder(it.paths.keeperLock);
      return holder.held && holder.pid !== former && holder.pid !== null && lives(holder.pid) ? holder.pid : null;
    },
    { what: 'a new keeper', timeout: 20_000, interval: 5 },
  );
}

test('a keeper that is killed as soon as it has replaced one, several times, costs no connection', async () => {
  const { it, port } = await upWithPort();
  const load = freshConnections(port);
  const before = await it.running();
  let keeper = before.keeper.pid;
  for (let round = 0; round < 4; round++) {
    kill(keeper);
    keeper = await nextKeeper(it, keeper);
    await sleep(round * 15); // each time a little further on its way
  }
  await waitFor(async () => (await it.running()).edge.pid !== before.edge.pid, { what: 'a new edge', timeout: 20_000 });
  await waitFor(() => !lives(before.edge.pid), { what: 'the old edge to leave' });
  expect((await load.stop()).failed).toEqual([]);
});

test('a keeper that is killed in the middle of a hand-over costs no connection', async () => {
  const { it, port } = await upWithPort();
  const { keeper, edge } = await it.running();
  const load = freshConnections(port);
  writeFileSync(it.edgeFile('stuck'), '');
  kill(keeper.pid, 'SIGUSR2');
  await sleep(100);
  kill(keeper.pid);
  await nextKeeper(it, keeper.pid);
  rmSync(it.edgeFile('stuck'));
  await waitFor(async () => (await ask(port)) !== edge.pid, { what: 'a new edge to serve', timeout: 30_000 });
  await waitFor(() => !lives(edge.pid), { what: 'the old edge to leave' });
  expect((await load.stop()).failed).toEqual([]);
});

test('an edge that hangs when its keeper dies is replaced, on the same port', async () => {
  const { it, port } = await upWithPort();
  const { keeper, edge } = await it.running();
  onTestFinished(() => kill(edge.pid));
  kill(edge.pid, 'SIGSTOP');
  kill(keeper.pid);
  await waitFor(() => !lives(edge.pid), { what: 'the hanging edge to be ended', timeout: 20_000 });
  const pid = await waitFor(() => ask(port), { what: 'the port to answer', timeout: 20_000 });
  expect(pid).toBe((await it.running()).edge.pid);
});

test('an edge that fails again and again is started again and again, less and less often, until it is well', async () => {
  const it = world({ EVENKEEL_EDGE_READY_MS: '100' });
  writeFileSync(it.edgeFile('stuck'), '');
  await it.start();
  const pauses = await waitFor(
    () => {
      const found = [...it.log().matchAll(/next start in (\d+) ms/g)].map(([, ms]) => Number(ms));
      return found.length >= 4 ? found : null;
    },
    { what: 'four attempts' },
  );
  expect(pauses[0]).toBeLessThan(100);
  expect(pauses.slice(0, 4)).toEqual(pauses.slice(0, 4).toSorted((a, b) => a - b));
  expect(pauses[3]).toBeGreaterThan(pauses[0] ?? 0);
  rmSync(it.edgeFile('stuck'));
});

test('damaged records of an earlier keeper hinder nobody', async () => {
  const it = world();
  writeFileSync(it.paths.keeperInfo, '{"keeper":{"pid":');
  writeFileSync(it.paths.keeperPorts, '[{"port":"x"},7,null]');
  await it.start();
  const port = await freePort();
  await it.ports([port]);
  expect(await ask(port)).toBe((await it.running()).edge.pid);
});

test('told to stop at any moment of its start, it leaves nothing behind', async () => {
  const it = world();
  for (const delay of [60, 90, 120, 150, 180, 220, 260, 320]) {
    const keeper = await spawnNode<never, never>({ entry: entryFile('keeper'), env: it.env });
    await sleep(delay);
    keeper.kill('SIGTERM');
    await keeper.exited;
    await waitFor(
      async () => !(await lockHolder(it.paths.keeperLock)).held && !(await lockHolder(it.paths.controllerLock)).held,
      { what: `all to be gone (told after ${delay} ms)` },
    );
  }
});

test('a keeper that stands by takes over from one that stopped, and passes a stop on to one that runs', async () => {
  const { it, port } = await upWithPort();
  const standBy = () => spawnNode<never, never>({ entry: entryFile('keeper'), args: ['--stand-by'], env: it.env });
  const first = (await it.running()).keeper.pid;
  const second = await standBy();
  await waitFor(() => it.log().includes('waiting for its end'), { what: 'the second to stand by' });
  kill(first, 'SIGTERM');
  expect(await nextKeeper(it, first)).toBe(second.pid);
  await waitFor(() => ask(port), { what: 'the port to answer' });

  const third = await standBy();
  await waitFor(() => it.log().split('waiting for its end').length === 3, { what: 'the third to stand by' });
  third.kill('SIGTERM');
  expect(await third.exited).toEqual({ code: 0, signal: null });
  expect(await second.exited).toEqual({ code: 0, signal: null });
});

test('a keeper that stands by leaves it to the edge to bring a keeper up', async () => {
  const { it, port } = await upWithPort();
  const { keeper } = await it.running();
  const standBy = await spawnNode<never, never>({ entry: entryFile('keeper'), args: ['--stand-by'], env: it.env });
  await waitFor(() => it.log().includes('waiting for its end'), { what: 'the second to stand by' });
  const load = freshConnections(port);
  kill(keeper.pid);
  expect(await nextKeeper(it, keeper.pid)).not.toBe(standBy.pid);
  await it.running();
  expect((await load.stop()).failed).toEqual([]);
  standBy.kill('SIGTERM');
  await standBy.exited;
});

test('a keeper that stands by passes a stop on as soon as it is known to whom', async () => {
  const { it } = await upWithPort();
  const { keeper } = await it.running();
  const standBy = await spawnNode<never, never>({ entry: entryFile('keeper'), args: ['--stand-by'], env: it.env });
  await waitFor(() => it.log().includes('waiting for its end'), { what: 'the second to stand by' });
  // For the lock it is as if somebody only looked at it.
  const name = `${it.paths.keeperLock}.pid`;
  renameSync(name, `${name}.hidden`);
  standBy.kill('SIGTERM');
  await sleep(700); // it finds nobody
  expect(lives(keeper.pid)).toBe(true);
  renameSync(`${name}.hidden`, name);
  expect(await standBy.exited).toEqual({ code: 0, signal: null });
  expect(lives(keeper.pid)).toBe(false);
});
