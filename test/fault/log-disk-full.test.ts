import { existsSync, mkdirSync, statSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { rotateLog } from '../../src/drivers/runtime/process/logs/log-rotation.ts';
import { tinyDisk } from '../support/tiny-disk.ts';

const MB = 1024 * 1024;

const use = (file: string): number => statSync(file).blocks * 512;

test('a log that has filled the disk gives it back, and goes on to be rotated without losing what is written meanwhile', async (context) => {
  const disk = tinyDisk(4 * MB);
  if (disk === null) return context.skip('no file system can be mounted here');
  const folder = join(disk, 'logs');
  mkdirSync(folder);
  const file = join(folder, 'api.log');
  expect(() => writeFileSync(file, 'a line like any other\n'.repeat(300_000))).toThrow('ENOSPC');
  expect(statfsSync(disk).bavail).toBe(0);
  const before = statSync(file).size;

  await rotateLog(file, { maxBytes: MB, keep: 2 });
  expect(use(file)).toBeLessThan(MB);
  // By a hole: a file that is truncated loses what its writer says in that moment.
  expect(statSync(file).size).toBe(before);

  writeFileSync(file, 'more of it\n'.repeat(150_000), { flag: 'a' });
  await rotateLog(file, { maxBytes: MB, keep: 1 });
  expect(use(file)).toBeLessThan(MB);
  expect(existsSync(`${file}.shift`)).toBe(false);
});
