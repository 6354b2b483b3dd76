/** The keeper with the real edge, and at last with the real controller too. */
import { Agent, createServer, request } from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { applyReplySchema, type ApplyCommand } from '../../src/domain/traffic/protocol.ts';
import { spawnNode } from '../../src/platform/child.ts';
import { entryFile, processEnv } from '../../src/platform/entry.ts';
import { lockHolder } from '../../src/platform/lock.ts';
import { unixClient } from '../../src/platform/unix-http.ts';
import { ask, freshConnections, kill, lives, world, type World } from '../fixtures/keeper/world.ts';
import { waitFor } from '../support/wait.ts';
import { freePort } from '../support/free-port.ts';

/** A real edge with one route, to an instance that answers 1 and lives in this process. */
async function realWorld(extra: NodeJS.ProcessEnv = {}): Promise<{ it: World; port: number; upstreamPort: number }> {
  const it = world({ EVENKEEL_EDGE_ENTRY: '', EVENKEEL_EDGE_IDLE_GRACE_MS: '300', ...extra });
  const upstream = createServer((incoming, response) => incoming.resume().on('end', () => response.end('1')));
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    upstream.closeAllConnections();
    upstream.close();
  });
  await it.start();
  await it.running();
  const port = await freePort();
  await apply(it, command(port, (upstream.address() as AddressInfo).port));
  await waitFor(async () => (await ask(port)) === 1, { what: 'the edge to answer' });
  return { it, port, upstreamPort: (upstream.address() as AddressInfo).port };
}

const command = (port: number, instance: number, more: readonly number[] = []): ApplyCommand => ({
  fence: 1,
  remove: [],
  services: [
    {
      project: 'p',
      environment: 'production',
      service: 'api',
      unit: 'u',
      routes: [port, ...more].map((each) => ({ port: each, host: null, path: '/' })),
      internalPort: null,
      callers: [],
      preview: null,
      releases: [
        {
          release: 'api@1',
          weight: 100,
          instances: [{ id: 'i', port: instance, startedAt: Date.now(), draining: false }],
          health: null,
          static: null,
        },
      ],
      split: null,
      whenEmpty: 'hold',
      health: { path: '/', graceMs: 1_000, intervalMs: 1_000, timeoutMs: 1_000 },
      timeoutMs: 10_000,
      drainMs: 1_000,
    },
  ],
});

async function apply(it: World, body: ApplyCommand): Promise<void> {
  const edge = unixClient({ socketPath: it.paths.edgeSocket, peer: 'The edge' });
  const reply = await waitFor(() => edge.json({ path: '/apply', body }), { what: 'the edge to take a command' });
  expect(applyReplySchema.parse(reply)).toMatchObject({ applied: true });
}

/** Requests with bodies on connections that are used again, as a browser does, until stopped. */
function keptConnections(port: number): { stop(): Promise<{ answered: number; failed: string[] }> } {
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  const failed: string[] = [];
  let answered = 0;
  let stopped = false;
  const post = (): Promise<void> =>
    new Promise((resolve) => {
      const outgoing = request({ port, host: '127.0.0.1', method: 'POST', agent }, (response) => {
        if (response.statusCode !== 200) failed.push(`status ${response.statusCode}`);
        response.resume().on('end', () => {
          answered++;
          resolve();
        });
      });
      outgoing.on('error', (error: NodeJS.ErrnoException) => {
        failed.push(error.code ?? error.message);
        resolve();
      });
      outgoing.end('body');
    });
  const lane = async (): Promise<void> => {
    for (let n = 0; !stopped; n++) {
      await post();
      await sleep(n % 10 === 0 ? 100 : 2);
    }
  };
  const lanes = [lane(), lane(), lane(), lane()];
  return {
    async stop() {
      stopped = true;
      await Promise.all(lanes);
      agent.destroy();
      return { answered, failed };
    },
  };
}

function underLoad(port: number): { stop(): Promise<string[]> } {
  const loads = [freshConnections(port), keptConnections(port)];
  return {
    async stop() {
      const results = await Promise.all(loads.map((load) => load.stop()));
      for (const { answered } of results) {
        expect(typeof answered === 'number' ? answered : answered.size).toBeGreaterThan(0);
      }
      return results.flatMap(({ failed }) => failed);
    },
  };
}

test('a hand-over of the real edge fails no request, neither on fresh connections nor on kept ones', async () => {
  const { it, port } = await realWorld();
  const load = underLoad(port);
  for (let round = 0; round < 3; round++) {
    const { edge } = await it.running();
    expect(await it.api('/restart-edge')).toMatchObject({ ok: true });
    await waitFor(() => !lives(edge.pid), { what: 'the old edge to leave', timeout: 40_000 });
  }
  expect(await load.stop()).toEqual([]);
});

test('kill -9 of the keeper of a real edge fails no request', async () => {
  const { it, port } = await realWorld();
  const load = underLoad(port);
  for (let round = 0; round < 2; round++) {
    const { keeper, edge } = await it.running();
    kill(keeper.pid);
    await waitFor(() => !lives(edge.pid), { what: 'the old edge to leave', timeout: 40_000 });
    expect((await it.running()).keeper.pid).not.toBe(keeper.pid);
  }
  expect(await load.stop()).toEqual([]);
});

test('kill -9 of a real edge refuses no connection, and the next one knows its routes', async () => {
  const { it, port } = await realWorld();
  const load = freshConnections(port);
  const { edge } = await it.running();
  kill(edge.pid);
  await waitFor(async () => (await it.running()).edge.pid !== edge.pid, { what: 'a new edge' });
  expect(await ask(port)).toBe(1);
  const { failed } = await load.stop();
  expect(failed.filter((reason) => reason !== 'ECONNRESET')).toEqual([]);
});

test('after a restart with one port taken by a stranger, the others are served, and that one as soon as it is free', async () => {
  const { it, port, upstreamPort } = await realWorld();
  const second = await freePort();
  await apply(it, command(port, upstreamPort, [second]));
  const { keeper } = await it.running();
  kill(keeper.pid, 'SIGTERM');
  await waitFor(() => !lives(keeper.pid), { what: 'the keeper to stop', timeout: 40_000 });

  const stranger = net.createServer().listen(second, '127.0.0.1');
  onTestFinished(() => void stranger.close());
  await it.start();
  expect(await waitFor(() => ask(port), { what: 'the first port to answer' })).toBe(1);
  await new Promise((resolve) => stranger.close(resolve));
  expect(await waitFor(() => ask(second), { what: 'the second port to answer' })).toBe(1);
});

test('with the real controller: each of the three, and each pair, killed by kill -9; all come back by themselves', async () => {
  const { it, port } = await realWorld({ EVENKEEL_CONTROLLER_ENTRY: '' });
  const pick = ['keeper', 'edge', 'controller'] as const;
  const groups = [...pick.map((name) => [name]), ['keeper', 'edge'], ['keeper', 'controller'], ['edge', 'controller']];
  for (const group of groups as (typeof pick)[number][][]) {
    const before = await it.running();
    const victims = group.map((name) => before[name]?.pid ?? 0);
    for (const pid of victims) kill(pid);
    await waitFor(
      async () => {
        const now = await it.running();
        const holder = await lockHolder(it.paths.controllerLock);
        const replaced = group.every((name, i) => now[name]?.pid !== victims[i]);
        return replaced && holder.held && holder.pid === now.controller?.pid;
      },
      { what: `${group.join(' and ')} to be replaced`, timeout: 30_000 },
    );
    expect(await waitFor(() => ask(port), { what: 'an answer', timeout: 20_000 })).toBe(1);
  }
});

test('the real edge and the real controller, stopped for good, are replaced; the next edge answers who waited', async () => {
  const silence = { EVENKEEL_EDGE_SILENCE_MS: '2000', EVENKEEL_CONTROLLER_SILENCE_MS: '2000' };
  const { it, port } = await realWorld({ EVENKEEL_CONTROLLER_ENTRY: '', ...silence });
  await waitFor(async () => (await lockHolder(it.paths.controllerLock)).held, { what: 'the controller to act' });
  const { edge, controller } = await it.running();
  for (const pid of [edge.pid, controller!.pid]) {
    kill(pid, 'SIGSTOP');
    onTestFinished(() => kill(pid));
  }
  const waiting = Array.from({ length: 20 }, () => ask(port));
  for (const pid of [edge.pid, controller!.pid])
    await waitFor(() => !lives(pid), { what: `${pid} to be killed`, timeout: 30_000 });
  expect(new Set(await Promise.all(waiting))).toEqual(new Set([1]));
  const next = await it.running();
  expect([next.edge.pid, next.controller?.pid]).not.toContain(edge.pid);
  await waitFor(async () => (await lockHolder(it.paths.controllerLock)).held, { what: 'a new controller to act' });
});

test('an edge and a controller whose keeper died while they were loading leave, and disturb nobody', async () => {
  const { it, port, upstreamPort } = await realWorld();
  const before = await it.running();
  for (const entry of ['edge', 'controller'] as const) {
    const orphan = await spawnNode({ entry: entryFile(entry, {}), env: processEnv(it.env, it.paths) });
    // The channel closes, as it does with the death of whoever has the other end.
    orphan.release();
    expect((await orphan.exited).code, entry).toBe(0);
  }
  await apply(it, command(port, upstreamPort));
  expect(await ask(port)).toBe(1);
  const after = await it.running();
  expect([after.edge.pid, after.controller?.pid]).toEqual([before.edge.pid, before.controller?.pid]);
});
