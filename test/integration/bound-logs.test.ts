import { appendFileSync, closeSync, mkdirSync, openSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { boundLogs } from '../../src/app/bound-logs.ts';
import { lastLines } from '../../src/drivers/runtime/process/last-lines.ts';
import { spawnDetached } from '../../src/platform/process/spawn.ts';
import { sendSignal } from '../../src/platform/process/table.ts';
import { tempDir } from '../support/temp.ts';
import { waitFor } from '../support/wait.ts';

const KB = 1024;
const limits = { own: { maxBytes: 64 * KB, keep: 1 }, jobs: { maxBytes: 64 * KB, keep: 2 } };

/** Bytes on the disk, holes not counted. */
function diskUse(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).blocks * 512, 0);
}

function logIn(folder: string, ...way: string[]): string {
  const file = join(folder, ...way);
  mkdirSync(dirname(file), { recursive: true });
  return file;
}

test('a job that talks without end, and without line ends, does not fill the disk', async () => {
  const folder = tempDir('logs');
  const file = logIn(folder, 'jobs', 'shop', 'production', 'build.log');
  const output = openSync(file, 'a');
  const job = await spawnDetached(['/bin/sh', '-c', 'exec cat /dev/zero | tr "\\0" x'], {
    cwd: folder,
    env: { PATH: '/usr/bin:/bin' },
    output,
  });
  closeSync(output);
  onTestFinished(() => void sendSignal(-job, 'SIGKILL'));
  let seen = 0;
  for (let round = 0; round < 5; round++) {
    const before = seen;
    await waitFor(() => (seen = statSync(file).size) > before + 1024 * KB, { what: 'output' });
    await boundLogs(folder, limits);
  }
  sendSignal(-job, 'SIGKILL');
  await waitFor(() => statSync(file).size === (seen = Math.max(seen, statSync(file).size)), { what: 'its end' });
  await boundLogs(folder, limits);
  expect(seen).toBeGreaterThan(5 * 1024 * KB);
  expect(diskUse(folder)).toBeLessThan(4 * 64 * KB);
});

test('what our own processes say is kept small; what is small stays as it is, and the last lines can be read', async () => {
  const folder = tempDir('logs');
  const [edge, keeper] = [logIn(folder, 'edge.out.log'), logIn(folder, 'keeper.log')];
  for (let n = 0; n < 5_000; n++) appendFileSync(edge, `something happened to request ${n}, which is said in a line\n`);
  appendFileSync(keeper, 'started\n');
  await boundLogs(folder, limits);
  appendFileSync(edge, 'the last words\n');
  expect(diskUse(folder)).toBeLessThan(3 * 64 * KB);
  expect(lastLines(edge)).toBe('the last words');
  expect(readFileSync(keeper, 'utf8')).toBe('started\n');
});
