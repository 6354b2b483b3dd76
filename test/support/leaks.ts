/** Setup file of every test file: fails it when it leaves a process, a listening socket or a folder behind. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll } from 'vitest';
import { newRunId } from './run-id.ts';
import { remainingTempDirs, removeSharedFolders } from './temp.ts';

/** How long, in ms, what was told to end may take to be really gone. */
const GRACE = 5_000;

const id = newRunId();

// Whoever forgets to name a home writes here, where it is noticed, and never into the home of the person testing.
process.env['XDG_STATE_HOME'] = join(tmpdir(), `${id}-state`);

// Registered first, so it runs after all other hooks of the file.
afterAll(async () => {
  await removeSharedFolders();
  const deadline = performance.now() + GRACE;
  let left = whatIsLeft();
  while (left.length > 0 && performance.now() < deadline) {
    await sleep(50);
    left = whatIsLeft();
  }
  if (left.length === 0) return;
  await clearAway();
  throw new Error(`this test file left behind:\n  ${left.join('\n  ')}`);
}, GRACE * 3);

function whatIsLeft(): string[] {
  const listeners = process.getActiveResourcesInfo().filter((resource) => /^(TCP|Pipe)ServerWrap$/.test(resource));
  return [
    ...leakedProcesses().map(({ pid, command }) => `process ${pid}: ${command}`),
    ...listeners.map((resource) => `a listening socket in the test process (${resource})`),
    ...remainingTempDirs().map((path) => `folder ${path}`),
  ];
}

/**
 * Processes that belong to this test file: they inherited its mark, or were given a minimal environment but work in
 * one of its folders or were told about it. (The environment shown by /proc is the one a process was started with, so
 * the test process, which set the mark itself, is not among them.)
 */
function leakedProcesses(): { pid: number; command: string }[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => pid !== process.pid && belongsHere(pid))
    .map((pid) => ({ pid, command: readProc(pid, 'cmdline').replaceAll('\0', ' ').trim() }));
}

function belongsHere(pid: number): boolean {
  return readProc(pid, 'environ').includes(id) || readProc(pid, 'cmdline').includes(id) || cwd(pid).includes(id);
}

function readProc(pid: number, file: 'environ' | 'cmdline'): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch {
    return ''; // gone, or somebody else's
  }
}

function cwd(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return '';
  }
}

/** Ends and removes what was left, so that one careless test does not disturb the others. */
async function clearAway(): Promise<void> {
  for (let round = 0; round < 3; round++) {
    for (const { pid } of leakedProcesses()) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // ended by itself meanwhile
      }
    }
    await sleep(100);
  }
  for (const path of remainingTempDirs()) await rm(path, { recursive: true, force: true });
}
