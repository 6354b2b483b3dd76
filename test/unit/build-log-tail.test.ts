import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { logSize, logTail } from '../../src/drivers/build/build-log.ts';
import { tempDir } from '../support/temp.ts';

const lines = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => `line ${from + i}\n`).join('');

test('the tail is the last 20 lines of this run, readable', async () => {
  const log = join(tempDir('log'), 'log');
  expect(await logTail(log, 0)).toBe('');
  writeFileSync(log, 'of the run before\n');
  const start = await logSize(log);
  expect(await logTail(log, start)).toBe('');
  appendFileSync(log, '\u001B[31mred\u001B[0m\n10%\r50%\r100%\n\n');
  expect(await logTail(log, start)).toBe('red\n100%');
  appendFileSync(log, lines(1, 30));
  expect(await logTail(log, start)).toBe(lines(11, 30).trimEnd());
});

test('the tail is at most 4 KB, and begins with a whole line', async () => {
  const log = join(tempDir('log'), 'log');
  writeFileSync(log, `${'x'.repeat(6000)}\n${'y'.repeat(3000)}\n`);
  expect(await logTail(log, 0)).toBe('y'.repeat(3000));
  writeFileSync(log, 'z'.repeat(9000));
  expect((await logTail(log, 0)).length).toBeLessThanOrEqual(4096);
});

test('a log that was rotated since is read from its start', async () => {
  const log = join(tempDir('log'), 'log');
  writeFileSync(log, 'new\n');
  expect(await logTail(log, 5000)).toBe('new');
});
