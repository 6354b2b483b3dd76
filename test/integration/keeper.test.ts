import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { spawnNode } from '../../src/platform/child.ts';
import { lockHolder } from '../../src/platform/lock.ts';
import { ask, freshConnections, kill, lives, world } from '../fixtures/keeper/world.ts';
import { waitFor } from '../support/wait.ts';
import { freePort } from '../support/free-port.ts';

test('one command brings keeper, controller and edge up, and a second finds them running', async () => {
  const it = world();
  expect(await it.start()).toBe('started');
  const info = await it.running();
  expect(await it.start()).toBe('running');
  expect((await it.running()).keeper.pid).toBe(info.keeper.pid);
});

test('of several that start it at once, one keeper comes up and all succeed', async () => {
  const it = world();
  const results = await Promise.all([it.start(), it.start(), it.start(), it.start()]);
  expect(results).toHaveLength(4);
  const info = await it.running();
  expect(await lockHolder(it.paths.keeperLock)).toEqual({ held: true, pid: info.keeper.pid });
});

test('a controller that cannot start is reported with what it said', async () => {
  const it = world({ STAND_IN_CONTROLLER_FAILS: '1' });
  await expect(it.start()).rejects.toMatchObject({
    code: 'controller-silent',
    message: expect.stringContaining('again and again'),
    why: expect.stringContaining('the store is damaged'),
  });
});

test('a port is served once the edge needs it, let go when it does not, and refused with the reason when taken', async () => {
  const it = world();
  await it.start();
  const [first, second] = [await freePort(), await freePort()];
  await it.ports([first, second]);
  expect(await ask(first)).toBe((await it.running()).edge.pid);
  await it.ports([second]);
  await waitFor(
    () =>
      ask(first).then(
        () => false,
        (error: NodeJS.ErrnoException) => error.code === 'ECONNREFUSED',
      ),
    {
      what: 'the first port to be free',
    },
  );

  const squatter = net.createServer().listen(first, '127.0.0.1');
  onTestFinished(() => void squatter.close());
  writeFileSync(
    it.edgeFile('ports.json'),
    JSON.stringify([first, second].map((port) => ({ port, bind: '127.0.0.1' }))),
  );
  kill((await it.running()).edge.pid, 'SIGUSR2');
  await waitFor(() => it.log().includes(`cannot listen on 127.0.0.1:${first}: EADDRINUSE`), { what: 'the reason' });
  squatter.close();
  const { edge } = await it.running();
  await waitFor(async () => (await ask(first)) === edge.pid, { what: 'the port to be had after all' });
});

test('a hand-over loses no connection, and the old edge leaves', async () => {
  const it = world();
  await it.start();
  const port = await freePort();
  await it.ports([port]);
  const load = freshConnections(port);
  const edges = [(await it.running()).edge.pid];
  for (let round = 0; round < 3; round++) {
    expect(await it.api('/restart-edge')).toMatchObject({ ok: true });
    const serving = async (): Promise<number> => (await it.running()).edge.pid;
    edges.push(
      await waitFor(async () => !edges.includes(await serving()) && serving(), { what: 'the new edge to be noted' }),
    );
  }
  await waitFor(async () => (await ask(port)) === edges.at(-1), { what: 'the last edge to be the one that answers' });
  const { failed, answered } = await load.stop();
  expect(failed).toEqual([]);
  expect(answered.size).toBeGreaterThan(1);
  expect(new Set(edges).size).toBe(4);
  for (const edge of edges.slice(0, -1)) await waitFor(() => !lives(edge), { what: `old edge ${edge} to leave` });
});

test('when the new edge does not become ready, the old one stays', async () => {
  const it = world({ EVENKEEL_EDGE_READY_MS: '700' });
  await it.start();
  const port = await freePort();
  await it.ports([port]);
  const { edge } = await it.running();
  writeFileSync(it.edgeFile('stuck'), '');
  const load = freshConnections(port);
  expect(await it.api('/restart-edge')).toMatchObject({ ok: false, reason: expect.stringContaining('not ready') });
  const { failed, answered } = await load.stop();
  expect(failed).toEqual([]);
  expect(await ask(port)).toBe(edge.pid);
  expect(answered.get(edge.pid)).toBeGreaterThan(0);
});

test('told to stop, all three leave and take their sockets with them; a closing terminal stops nothing', async () => {
  const it = world();
  await it.start();
  const port = await freePort();
  await it.ports([port]);
  const { keeper, edge, controller } = await it.running();
  kill(keeper.pid, 'SIGHUP');
  expect(await ask(port)).toBe(edge.pid);
  await it.api('/stop-all');
  for (const { pid } of [keeper, edge, controller!]) await waitFor(() => !lives(pid), { what: `${pid} to end` });
  await expect(ask(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  expect(existsSync(it.paths.controllerSocket)).toBe(false);
  expect(existsSync(it.paths.keeperInfo)).toBe(false);
});

test('who starts it while another is on its way out waits for that one, and then brings it up', async () => {
  const it = world();
  await it.start();
  const { keeper, controller } = await it.running();
  kill(keeper.pid, 'SIGTERM');
  await waitFor(() => controller === null || !lives(controller.pid), { what: 'the controller to be gone' });
  await it.start();
  expect((await it.running()).keeper.pid).not.toBe(keeper.pid);
});

test('in the foreground it says what it does, ends with SIGTERM, and takes all with it', async () => {
  const it = world();
  const script = fileURLToPath(new URL('../fixtures/keeper/foreground.ts', import.meta.url));
  const log = join(it.paths.home, 'foreground.log');
  const outputFd = openSync(log, 'a');
  const server = await spawnNode<never, never>({ entry: script, env: it.env, outputFd });
  closeSync(outputFd);
  const { edge } = await it.running();
  server.kill('SIGTERM');
  expect(await server.exited).toEqual({ code: 0, signal: null });
  expect(lives(edge.pid)).toBe(false);
  expect(readFileSync(log, 'utf8')).toMatch(/keeper\[\d+\] stopping: SIGTERM/);
});
