import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { spawnNode, type NodeChild } from '../../src/platform/child.ts';
import { lockHolder, takeLock } from '../../src/platform/lock.ts';
import { tempDir } from '../support/temp.ts';
import { waitFor } from '../support/wait.ts';

const entry = fileURLToPath(new URL('../fixtures/keeper/hold-lock.ts', import.meta.url));

async function taker(
  file: string,
  waitMs = 100,
): Promise<{ child: NodeChild<string, never>; answer: Promise<string> }> {
  const child = await spawnNode<string, never>({ entry, args: [file, String(waitMs)], env: process.env });
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await child.exited;
  });
  return { child, answer: new Promise((resolve) => child.onMessage(resolve)) };
}

test('of several processes one gets the lock, and it is known which', async () => {
  const file = join(tempDir(), 'lock');
  const takers = await Promise.all([taker(file), taker(file), taker(file)]);
  const answers = await Promise.all(takers.map(({ answer }) => answer));
  expect(answers.toSorted()).toEqual(['held', 'refused', 'refused']);
  const holder = takers[answers.indexOf('held')]?.child.pid;
  expect(await lockHolder(file)).toEqual({ held: true, pid: holder });
});

test('kill -9 frees the lock for whoever waits for it', async () => {
  const file = join(tempDir(), 'lock');
  const first = await taker(file);
  expect(await first.answer).toBe('held');
  const second = await taker(file, 20_000);
  first.child.kill('SIGKILL');
  expect(await second.answer).toBe('held');
});

test('looking whether it is held takes it away from nobody', async () => {
  const file = join(tempDir(), 'lock');
  let looking = true;
  const look = (async () => {
    while (looking) await lockHolder(file);
  })();
  const taken = await taker(file, 5_000);
  expect(await taken.answer).toBe('held');
  looking = false;
  await look;
});

test('a lock that was released can be taken again', async () => {
  const file = join(tempDir(), 'lock');
  const lock = await takeLock(file);
  expect(lock).not.toBeNull();
  expect(await takeLock(file, { waitMs: 0 })).toBeNull();
  lock?.release();
  const again = await waitFor(() => takeLock(file), { what: 'the lock' });
  again.release();
  expect(await lockHolder(file)).toEqual({ held: false });
});

test('a lock is held for as long as the process lives, whether or not anybody keeps what `takeLock` returned', async () => {
  const file = join(tempDir(), 'lock');
  const idle = fileURLToPath(new URL('../fixtures/keeper/hold-lock-idly.ts', import.meta.url));
  const child = await spawnNode<string, never>({
    entry: idle,
    args: [file],
    env: process.env,
    nodeOptions: ['--expose-gc'],
  });
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await child.exited;
  });
  expect(await new Promise((resolve) => child.onMessage(resolve))).toBe('held');
  expect(await lockHolder(file)).toEqual({ held: true, pid: child.pid });
});
