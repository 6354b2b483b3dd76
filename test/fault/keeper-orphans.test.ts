import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { spawnNode } from '../../src/platform/child.ts';
import { lockHolder } from '../../src/platform/lock.ts';
import { outputFile } from '../../src/platform/start-keeper.ts';
import { ask, freshConnections, kill, lives, world } from '../fixtures/keeper/world.ts';
import { waitFor } from '../support/wait.ts';
import { freePort } from '../support/free-port.ts';

test('an edge that is ready before its keeper, and the edge before it, die is left to bring a keeper up', async () => {
  const it = world();
  await it.start();
  const port = await freePort();
  await it.ports([port]);
  const { keeper, edge } = await it.running();
  writeFileSync(it.edgeFile('stuck'), '');
  kill(keeper.pid, 'SIGUSR2');
  const next = await waitFor(
    async () => {
      const pid = await ask(port);
      return pid === edge.pid ? null : pid;
    },
    { what: 'a next edge', interval: 5 },
  );
  onTestFinished(() => kill(next, 'SIGCONT'));

  const load = freshConnections(port);
  kill(keeper.pid, 'SIGSTOP');
  rmSync(it.edgeFile('stuck'));
  kill(next, 'SIGUSR1');
  await waitFor(() => readFileSync(outputFile(it.paths, 'edge'), 'utf8').includes(`${next} is ready`), {
    what: 'the next edge to be ready',
  });
  kill(next, 'SIGSTOP');
  kill(edge.pid);
  kill(keeper.pid);
  await sleep(600); // others have all the time to be faster
  kill(next, 'SIGCONT');
  await waitFor(async () => (await it.running()).keeper.pid !== keeper.pid, { what: 'a new keeper' });
  await waitFor(() => !lives(next), { what: 'the edge to have handed over' });
  // Those that the killed edge had accepted are lost with it; none is refused.
  expect((await load.stop()).failed.filter((failure) => failure.includes('ECONNREFUSED'))).toEqual([]);
});

test('an edge without keeper does not leave because somebody looks at the lock', async () => {
  const it = world();
  await it.start();
  const port = await freePort();
  await it.ports([port]);
  const { keeper, edge, controller } = await it.running();
  const load = freshConnections(port);
  const looker = await spawnNode<string, never>({
    entry: fileURLToPath(new URL('../fixtures/keeper/hold-lock.ts', import.meta.url)),
    args: [it.paths.keeperLock, '20000'],
    env: it.env,
  });
  onTestFinished(() => void looker.kill('SIGKILL'));
  const has = new Promise<string>((resolve) => looker.onMessage(resolve));
  // Whoever would bring a keeper up sees only afterwards that there is none.
  const orphans = [edge.pid, ...(controller === null ? [] : [controller.pid])];
  for (const pid of orphans) {
    kill(pid, 'SIGSTOP');
    onTestFinished(() => kill(pid, 'SIGCONT'));
  }
  kill(keeper.pid);
  expect(await has).toBe('held');
  for (const pid of orphans) kill(pid, 'SIGCONT');
  rmSync(`${it.paths.keeperLock}.pid`, { force: true }); // who only looks does not write down who it is
  await waitFor(() => it.log().includes('another keeper runs already'), { what: 'a keeper to find the lock taken' });
  looker.kill('SIGKILL');
  await looker.exited;
  await waitFor(async () => (await lockHolder(it.paths.keeperLock)).held, { what: 'a new keeper', timeout: 20_000 });
  await it.running();
  expect((await load.stop()).failed).toEqual([]);
});
