import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { lastKnownFile, unwrittenFile } from '../../src/app/emergency-files.ts';
import { raiseFence, readFence } from '../../src/app/fence-file.ts';
import { aboutThisProcess, endHolder, holderName, isDeadHolder } from '../../src/app/lease-holder.ts';
import { processJobs } from '../../src/drivers/runtime/process/jobs.ts';
import { processRuntime } from '../../src/drivers/runtime/process/runtime.ts';
import { permitOf } from '../../src/engine/fenced.ts';
import { awaitLease, type LeaseDeps } from '../../src/engine/lease.ts';
import type { UnwrittenRequest } from '../../src/ports/emergency.ts';
import { notActing } from '../../src/ports/permit.ts';
import { isAlive, processIdentity } from '../../src/platform/process/identity.ts';
import { memoryStore } from '../support/simulation/memory-store.ts';
import { tempDir } from '../support/temp.ts';
import { waitFor } from '../support/wait.ts';

/** Who has the turn to act, by which files and processes it is told, and that nothing is done without it. */

test('the fence in the home only grows, and who is below it is late', async () => {
  const file = join(tempDir('fence'), 'fence');
  expect(readFence(file)).toBe(0);
  await raiseFence(file, 3);
  expect(readFence(file)).toBe(3);
  await expect(raiseFence(file, 2)).rejects.toMatchObject({ code: 'not-acting', retryable: true });
  await raiseFence(file, 3);

  let fenced = 0;
  const permit = permitOf(
    () => readFence(file),
    { fence: 3, holds: () => true },
    () => fenced++,
  );
  permit();
  await raiseFence(file, 4);
  expect(permit).toThrow(/does not act/);
  expect(fenced).toBe(1);
  expect(
    permitOf(
      () => 0,
      { fence: 3, holds: () => false },
      () => {},
    ),
  ).toThrow(/does not act/);
});

test('a lease is not believed in after a pause, by whichever clock shows it', async () => {
  let elapsed = 0;
  let wall = 0;
  const store = memoryStore(() => 0);
  const deps: LeaseDeps = {
    store,
    clock: { now: () => wall, sleep: async () => {} },
    elapsed: () => elapsed,
    log: { info: () => {}, warn: () => {}, error: () => {} },
    holder: 'me',
    about: 'me',
    leaseMs: 1_000,
    isDead: () => false,
  };
  const taken = await awaitLease(deps, new AbortController().signal);
  const holds = (): boolean | undefined => taken?.tenure.holds();
  expect(holds()).toBe(true);
  elapsed = 700;
  expect(holds()).toBe(true);
  elapsed = 850; // it ends here before it ends in the store
  expect(holds()).toBe(false);
  elapsed = 0;
  wall = 5_000; // the machine was suspended, and one of the clocks with it
  expect(holds()).toBe(false);
  wall = -5_000; // set back: that gives no time
  elapsed = 850;
  expect(holds()).toBe(false);
  elapsed = 0;
  await taken?.tenure.giveUp();
  expect(holds()).toBe(false);
});

test('a holder is known to be dead, or ended, when it is a process of this machine', async () => {
  const child = spawn('sleep', ['1000'], { stdio: 'ignore' });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child, 'spawn');
  const identity = processIdentity(child.pid ?? 0);
  if (identity === null) throw new Error('no process');
  const mine = JSON.parse(aboutThisProcess()) as { pids: string; host: string };
  const about = JSON.stringify({ ...mine, process: identity });
  const elsewhere = JSON.stringify({ ...mine, process: { ...identity, boot: 'another machine' } });
  const inContainer = JSON.stringify({ ...mine, process: identity, pids: 'pid:[1]' });
  for (const [who, dead] of [
    [about, false],
    [elsewhere, false],
    [inContainer, false],
    ['', false],
    ['{}', false],
  ] as const)
    expect(isDeadHolder(who)).toBe(dead);
  for (const who of [elsewhere, inContainer, '', aboutThisProcess()]) expect(await endHolder(who)).toBe(false);
  expect(isAlive(identity)).toBe(true);
  process.kill(identity.pid, 'SIGSTOP');
  expect(await endHolder(about)).toBe(true);
  expect(isAlive(identity)).toBe(false);
  expect(isDeadHolder(about)).toBe(true);
  expect(holderName(about)).toContain(`process ${identity.pid}`);
});

test('what is started late is not started, although the permission was there when it began', async () => {
  const home = tempDir('home');
  const artifact = tempDir('artifact');
  writeFileSync(join(artifact, 'main.sh'), 'sleep 1000');
  let asked = 0;
  const permit = (): void => {
    asked++;
    throw notActing('its lease has run out meanwhile');
  };
  const common = { project: 'shop', environment: 'production', env: {}, resources: { memory: null, cpu: null } };
  const log = join(home, 'log');
  const mark = join(home, 'mark');
  const jobs = processJobs({ home, permit });
  const job = { ...common, id: 'r1.migrate.api', command: `touch ${mark}`, cwd: home, log };
  await expect(jobs.start(job)).rejects.toMatchObject({ code: 'not-acting' });
  const runtime = processRuntime({ home, permit });
  const instance = {
    ...common,
    id: 'shop.production.api@1.0.0',
    service: 'api',
    release: 'api@1',
    index: 0,
    generation: 0,
    artifact,
    dir: '.',
    command: `touch ${mark}`,
    port: null,
    data: [],
    log,
  };
  await expect(runtime.start(instance)).rejects.toMatchObject({ code: 'not-acting' });
  expect(asked).toBe(2);
  expect(existsSync(mark)).toBe(false);
  // Nothing keeps the controller that acts from starting them.
  await processJobs({ home }).start(job);
  await waitFor(async () => (await jobs.observe(job.id)).state === 'ended', { what: 'the job' });
  expect(existsSync(mark)).toBe(true);
  await processRuntime({ home }).start(instance);
  await waitFor(async () => (await runtime.observe(common))[0]?.state === 'ended', { what: 'the instance' });
});

test('what was asked for while the store was away is in a file, for whoever acts next', async () => {
  const file = join(tempDir('unwritten'), 'unwritten.json');
  const scope = { project: 'shop', environment: 'production' };
  const request: UnwrittenRequest = {
    ...scope,
    id: 'a',
    rollout: 'r1',
    kind: 'abort',
    by: 'ada',
    at: 1,
    comment: null,
    force: false,
  };
  const mine = unwrittenFile(file);
  const other = unwrittenFile(file);
  expect(mine.of(scope)).toEqual([]);
  await Promise.all([
    mine.add(request),
    mine.add({ ...request, id: 'b' }),
    mine.add({ ...request, id: 'c', project: 'blog' }),
  ]);
  expect(other.of(scope).map(({ id }) => id)).toEqual(['a', 'b']);
  await other.remove(['a']);
  expect(mine.of(scope).map(({ id }) => id)).toEqual(['b']);
  expect(unwrittenFile(file).of({ ...scope, project: 'blog' })).toHaveLength(1);
  // A torn file says nothing, and ends nobody.
  writeFileSync(file, readFileSync(file, 'utf8').slice(0, 20));
  expect(unwrittenFile(file).of(scope)).toEqual([]);
  expect(lastKnownFile(file).all()).toEqual([]);
});
