import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { ask, kill, lives, world, type World } from '../fixtures/keeper/world.ts';
import { waitFor } from '../support/wait.ts';
import { freePort } from '../support/free-port.ts';

/** Short enough to wait for, long enough for a busy machine that answers late. */
const SILENCE_MS = 2_000;

const PATIENT_MS = 2 * SILENCE_MS;

async function upWithPort(silenceMs = SILENCE_MS): Promise<{ it: World; port: number }> {
  const it = world({
    EVENKEEL_EDGE_SILENCE_MS: String(silenceMs),
    EVENKEEL_CONTROLLER_SILENCE_MS: String(silenceMs),
  });
  await it.start();
  const port = await freePort();
  await it.ports([port]);
  return { it, port };
}

function stop(pid: number): void {
  kill(pid, 'SIGSTOP');
  onTestFinished(() => kill(pid)); // one that was not found would stay for ever
}

const gone = (pid: number): Promise<unknown> =>
  waitFor(() => !lives(pid), { what: `${pid} to be killed`, timeout: 30_000 });

test('a controller that is stopped is killed and replaced, and the log says why; the edge stays', async () => {
  const { it, port } = await upWithPort();
  const { edge, controller } = await it.running();
  stop(controller!.pid);
  await gone(controller!.pid);
  expect(await it.api('/')).not.toBe(controller!.pid);
  expect(it.log()).toContain(`controller ${controller!.pid} has not answered for 2 s and is killed`);
  expect(await ask(port)).toBe(edge.pid);
});

test('a controller whose event loop is blocked for good is killed and replaced', async () => {
  const { it } = await upWithPort();
  const { controller } = await it.running();
  const unanswered = it.api('/block').catch((error: Error) => error);
  await gone(controller!.pid);
  expect(await unanswered).toBeInstanceOf(Error);
  expect(await it.api('/')).not.toBe(controller!.pid);
});

test('an edge that is stopped is killed and replaced: connections that waited meanwhile are answered by the next', async () => {
  const { it, port } = await upWithPort();
  const { edge } = await it.running();
  stop(edge.pid);
  const waiting = Array.from({ length: 50 }, () => ask(port));
  await gone(edge.pid);
  const answers = new Set(await Promise.all(waiting));
  expect(answers).toEqual(new Set([(await it.running()).edge.pid]));
  expect(it.log()).toContain(`edge ${edge.pid} has not answered for 2 s and is killed`);
});

test('a child that is stopped for less than the time allowed, again and again, stays', async () => {
  const { it, port } = await upWithPort(PATIENT_MS);
  const { edge, controller } = await it.running();
  for (let round = 0; round < 3; round++) {
    for (const pid of [edge.pid, controller!.pid]) kill(pid, 'SIGSTOP');
    await sleep(PATIENT_MS * 0.4);
    for (const pid of [edge.pid, controller!.pid]) kill(pid, 'SIGCONT');
    expect(await ask(port)).toBe(edge.pid);
    expect(await it.api('/')).toBe(controller!.pid);
    await waitFor(() => isAwake(edge.pid) && isAwake(controller!.pid), { what: 'both to go on' });
    await sleep(PATIENT_MS / 3);
  }
  expect(it.log()).not.toContain('is killed');
});

test('a keeper that was itself stopped holds nothing of that time against its children', async () => {
  const { it, port } = await upWithPort(PATIENT_MS);
  const { keeper, edge, controller } = await it.running();
  for (const pid of [keeper.pid, edge.pid, controller!.pid]) kill(pid, 'SIGSTOP');
  onTestFinished(() => [keeper.pid, edge.pid, controller!.pid].forEach((pid) => kill(pid, 'SIGCONT')));
  await sleep(PATIENT_MS * 2);
  kill(keeper.pid, 'SIGCONT');
  await sleep(PATIENT_MS / 4);
  for (const pid of [edge.pid, controller!.pid]) kill(pid, 'SIGCONT');
  expect(await ask(port)).toBe(edge.pid);
  expect(await it.api('/')).toBe(controller!.pid);
  expect(it.log()).not.toContain('is killed');
});

const isAwake = (pid: number): boolean => !/^State:\s+T/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
