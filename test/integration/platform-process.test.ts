import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { bootId, isAlive, isDead, processIdentity, processStat } from '../../src/platform/process/identity.ts';
import { runCommand, spawnDetached } from '../../src/platform/process/spawn.ts';
import { livingProcesses, residentMemory, sendSignal } from '../../src/platform/process/table.ts';
import { tempDir } from '../support/temp.ts';
import { waitFor } from '../support/wait.ts';

test('a command tells its exit code and both outputs, and takes input', async () => {
  const result = await runCommand(['/bin/sh', '-c', 'cat; echo err >&2; exit 4'], { input: 'in' });
  expect(result).toEqual({ code: 4, signal: null, stdout: 'in', stderr: 'err\n', timedOut: false });
});

test('a command that takes too long is killed with everything it started', async () => {
  const dir = tempDir();
  const result = await runCommand(['/bin/sh', '-c', 'sleep 600 & echo $!; sleep 600'], { timeout: 300, cwd: dir });
  expect(result).toMatchObject({ code: null, signal: 'SIGKILL', timedOut: true });
  await waitFor(() => isDead(processStat(Number(result.stdout))), { what: 'its child to be gone' });
});

test('a command that ended is over, whatever it left behind with its outputs open', async () => {
  const { stdout, code } = await runCommand(['/bin/sh', '-c', 'setsid sleep 600 & echo $!']);
  onTestFinished(() => void sendSignal(Number(stdout), 'SIGKILL'));
  expect(code).toBe(0);
  expect(isDead(processStat(Number(stdout)))).toBe(false);
});

test('a command that is not there rejects with the reason; one that does not read its input does not', async () => {
  await expect(runCommand(['/no/such/program'])).rejects.toMatchObject({ code: 'ENOENT' });
  expect((await runCommand(['true'], { input: 'x'.repeat(1_000_000) })).code).toBe(0);
});

test('output beyond the limit is dropped, and the command still ends', async () => {
  const { stdout, code } = await runCommand(['/bin/sh', '-c', 'yes | head -c 3000000'], { maxOutput: 1000 });
  expect([stdout.length, code]).toEqual([1000, 0]);
});

test('a detached process has a session of its own, writes to its file and is known by its identity', async () => {
  const dir = tempDir();
  const output = openSync(join(dir, 'out'), 'a');
  const pid = await spawnDetached(['/bin/sh', '-c', 'echo hello; exec sleep 600'], {
    cwd: dir,
    env: { PATH: '/usr/bin:/bin' },
    output,
  });
  closeSync(output);
  const identity = processIdentity(pid);
  expect(identity).toMatchObject({ pid, boot: bootId() });
  if (identity === null) return;
  expect(processStat(pid)).toMatchObject({ session: pid, group: pid });
  expect(isAlive(identity)).toBe(true);
  expect(isAlive({ ...identity, startTime: '1' })).toBe(false);
  expect(isAlive({ ...identity, boot: 'another' })).toBe(false);
  expect(livingProcesses().some((each) => each.pid === pid)).toBe(true);
  await waitFor(() => residentMemory([pid]) > 100_000, { what: 'its memory' });
  await waitFor(() => readFileSync(join(dir, 'out'), 'utf8') === 'hello\n', { what: 'its output' });
  expect(sendSignal(pid, 'SIGKILL')).toBe(true);
  await waitFor(() => !isAlive(identity), { what: 'its death' });
});
