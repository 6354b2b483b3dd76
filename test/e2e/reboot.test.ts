import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { bootId, isAlive, processIdentity, type ProcessIdentity } from '../../src/platform/process/identity.ts';
import { fromEnvironment, livingProcesses } from '../../src/platform/process/table.ts';
import { run, service } from '../support/features/command.ts';
import { HEALTH, server } from '../support/features/programs.ts';
import { ask } from '../support/features/visitor.ts';
import { openSystem, projectFolder, type System } from '../support/system.ts';
import { waitFor } from '../support/wait.ts';
import { freePort } from '../support/free-port.ts';

/** Of a machine that was on before this one was: as random as any. */
const BEFORE = '11111111-2222-4333-8444-555555555555';

const starts = async (port: number): Promise<string[]> => (await ask(port, '/starts')).body.trim().split('\n');

/** Two services and a job's record; each start of an instance adds its id to a file. */
async function runningSystem(): Promise<{ system: System; root: string; port: number }> {
  const system = openSystem();
  const port = await freePort();
  const counting = `const { appendFileSync, readFileSync } = require('node:fs');
appendFileSync('kept/starts', process.env.EVENKEEL_INSTANCE + '\\n');
paths['/starts'] = (request, response) => response.end(readFileSync('kept/starts'));`;
  const root = projectFolder({
    'evenkeel.yaml': `project: again\nport: ${port}\nservices:\n  api: { run: node main.js, routes: [/], instances: 2, data: [kept], rollout: { rollbackWindow: 1h }, ${HEALTH} }\n  work: { run: sleep 600 }\n`,
    'main.js': server('v1', counting),
  });
  await run(system, root, ['up']);
  expect(await starts(port)).toHaveLength(2);
  return { system, root, port };
}

/** All at one stroke, as when the power goes: nobody starts anybody again, nobody writes an end. */
async function cutPower(system: System): Promise<ProcessIdentity[]> {
  const { keeper, controller, edge } = await system.keeperInfo();
  const own = [keeper, controller, edge].flatMap((each) => each?.pid ?? []);
  const theirs = livingProcesses()
    .map(({ pid }) => pid)
    .filter((pid) => fromEnvironment(pid, 'EVENKEEL_FOLDER')?.startsWith(system.paths.home) === true);
  const all = [...own, ...theirs].flatMap((pid) => processIdentity(pid) ?? []);
  for (const signal of ['SIGSTOP', 'SIGKILL'] as const)
    for (const { pid } of all)
      try {
        process.kill(pid, signal);
      } catch {
        // gone with its parent
      }
  await waitFor(() => !all.some(isAlive), { what: 'everything to be gone', timeout: 30_000 });
  return all;
}

/** Somebody else's process, which has the number that one of ours had. */
function stranger(): ProcessIdentity {
  const child = spawn('sleep', ['600'], { stdio: 'ignore' });
  onTestFinished(() => void child.kill('SIGKILL'));
  const identity = processIdentity(child.pid ?? 0);
  if (identity === null) throw new Error('sleep runs');
  return identity;
}

const TEXT = /(^claim$|\.json$|\.pid$)/;

/** Every record of a process in the home, changed. */
function rewrite(home: string, change: (text: string, path: string) => string): number {
  let changed = 0;
  for (const entry of readdirSync(home, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const isPort = entry.parentPath.endsWith('/ports');
    if (!entry.isFile() || path.includes('/work/') || (!TEXT.test(entry.name) && !isPort)) continue;
    const before = readFileSync(path, 'utf8');
    const after = change(before, path);
    if (after === before) continue;
    writeFileSync(path, after);
    changed += 1;
  }
  return changed;
}

async function comesBack(system: System, root: string, port: number, innocent: ProcessIdentity): Promise<void> {
  await system.start();
  await waitFor(async () => (await ask(port)).status === 200, { what: 'it to serve again', timeout: 60_000 });
  const both = await waitFor(
    async () => {
      const { instances } = await service(system, root, 'api');
      return instances.length === 2 && instances.every(({ healthy }) => healthy === true) ? instances : null;
    },
    { what: 'both instances', timeout: 60_000 },
  );
  await waitFor(async () => (await service(system, root, 'work')).instances.some(({ state }) => state === 'running'), {
    what: 'the worker',
    timeout: 60_000,
  });
  const all = await starts(port);
  // Once each, and no name twice.
  expect(all).toHaveLength(4);
  expect(new Set(all).size).toBe(4);
  expect(both.map(({ pid }) => pid)).not.toContain(innocent.pid);
  expect(isAlive(innocent)).toBe(true);
  expect((await run(system, root, ['up'])).stdout).toContain('nothing changed');
}

describe('after everything was gone at once', { timeout: 180_000 }, () => {
  test('by a reboot: all that is current starts once, and a stranger with an old number is left alone', async () => {
    const { system, root, port } = await runningSystem();
    await cutPower(system);
    const innocent = stranger();
    const changed = rewrite(system.paths.home, (text, path) => {
      const old = text.replaceAll(bootId(), BEFORE);
      // The number and even the start time of one of ours, which after a boot say nothing.
      if (!path.endsWith('/claim') || !path.includes('api@')) return old;
      return old.replace(/^\d+ \d+/, `${innocent.pid} ${innocent.startTime}`);
    });
    expect(changed).toBeGreaterThan(4);
    await comesBack(system, root, port, innocent);
  });

  test('without a reboot: a stranger that has the number of one of ours meanwhile is not taken for it', async () => {
    const { system, root, port } = await runningSystem();
    const gone = new Set((await cutPower(system)).map(({ pid }) => pid));
    const innocent = stranger();
    rewrite(system.paths.home, (text, path) =>
      path.endsWith('/claim') || path.endsWith('keeper.json')
        ? text.replaceAll(/\d+/g, (digits) => (gone.has(Number(digits)) ? String(innocent.pid) : digits))
        : text,
    );
    await comesBack(system, root, port, innocent);
  });
});
