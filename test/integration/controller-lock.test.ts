import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { takeControllerLock } from '../../src/app/controller-lock.ts';
import { spawnNode, type NodeChild } from '../../src/platform/child.ts';
import { kill, lives } from '../fixtures/keeper/world.ts';
import { tempDir } from '../support/temp.ts';

const HOLDER = fileURLToPath(new URL('../fixtures/keeper/hold-lock.ts', import.meta.url));

async function holderOf(file: string): Promise<NodeChild<string, never>> {
  const child = await spawnNode<string, never>({ entry: HOLDER, args: [file], env: process.env });
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await child.exited;
  });
  expect(await new Promise((resolve) => child.onMessage(resolve))).toBe('held');
  return child;
}

test('a former controller that hangs with the lock is killed, and the lock is taken', async () => {
  const file = join(tempDir('lock'), 'controller.lock');
  const hung = await holderOf(file);
  kill(hung.pid, 'SIGSTOP');
  const warnings: string[] = [];
  const lock = await takeControllerLock(file, {
    patienceMs: 200,
    log: { warn: (text: string) => warnings.push(text) },
  });
  expect(lives(hung.pid)).toBe(false);
  expect(warnings).toEqual([expect.stringContaining(`controller ${hung.pid} holds the lock`)]);
  lock.release();
});

test('one that leaves in time is left in peace', async () => {
  const file = join(tempDir('lock'), 'controller.lock');
  const leaving = await holderOf(file);
  const warnings: string[] = [];
  const taken = takeControllerLock(file, { patienceMs: 20_000, log: { warn: (text: string) => warnings.push(text) } });
  await sleep(100);
  expect(lives(leaving.pid)).toBe(true);
  leaving.kill('SIGTERM');
  (await taken).release();
  expect(warnings).toEqual([]);
});
