import { readFileSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished, expect, test } from 'vitest';
import { followTable } from '../../src/edge/state/follow-table.ts';
import { TableFile } from '../../src/edge/state/table-file.ts';
import { tempDir } from '../support/temp.ts';

const quiet = (): void => undefined;

test('a table that cannot be used is not read before every request, and is taken when it can be', async () => {
  const file = new TableFile(tempDir(), quiet);
  await file.write(new Map([['a/b/c', { key: 'a/b/c', fence: 1, config: null }]]));
  const sound = readFileSync(file.path);
  const { atime, mtime } = statSync(file.path);
  const put = (content: Buffer): void => {
    writeFileSync(file.path, content); // the same file, and as old as before
    utimesSync(file.path, atime, mtime);
  };
  put(Buffer.alloc(sound.length, 'x'));
  let reads = 0;
  let wanted = true;
  onTestFinished(() => void (wanted = false));
  const counted = {
    version: () => file.version(),
    readNow: () => {
      reads++;
      return file.readNow();
    },
  };
  const taken: number[] = [];
  const look = followTable(
    counted,
    () => wanted,
    (table) => taken.push(table.get('a/b/c')?.fence ?? 0),
  );
  for (let request = 0; request < 50; request++) look();
  expect(reads).toBe(1);
  put(sound);
  await expect.poll(() => taken).toEqual([1]);
  // Another one holds for the next request.
  await file.write(new Map([['a/b/c', { key: 'a/b/c', fence: 2, config: null }]]));
  look();
  expect(taken).toEqual([1, 2]);
});

test('a table whose version cannot be had is as one that is not there', () => {
  const folder = tempDir();
  symlinkSync('table', join(folder, 'table')); // leads nowhere: an error that is not ENOENT
  expect(new TableFile(folder, quiet).version()).toBeNull();
});
