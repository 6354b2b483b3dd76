import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { sharedSystem } from '../support/bad/shared-system.ts';
import { newest, run, service } from '../support/features/command.ts';
import { worker } from '../support/features/programs.ts';
import { projectFolder, writeFiles } from '../support/system.ts';
import { waitFor } from '../support/wait.ts';
import { freePort } from '../support/free-port.ts';

const system = sharedSystem();

async function workerProject(name: string, lines: string[] = []): Promise<{ root: string; seen: () => string[] }> {
  const root = projectFolder({
    'evenkeel.yaml': `
project: ${name}
port: ${await freePort()}
services:
  mail:
    run: node mail.js
    data: [kept]
${lines.map((line) => `    ${line}\n`).join('')}`,
    'mail.js': worker('v1'),
  });
  const file = join(system.paths.projects, name, 'development', 'mail', 'kept', 'seen');
  return { root, seen: () => (existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []) };
}

/** \`start v1\`, \`stop v1\`, without who and when. */
const what = (lines: string[]): string[] => lines.map((line) => line.split(' ').slice(0, 2).join(' '));

describe('a worker', { timeout: 120_000 }, () => {
  test('is replaced by its successor, and started again by a rollback', async () => {
    const { root, seen } = await workerProject('queue');
    const up = await run(system, root, ['up']);
    expect(up.stdout).toContain('mail@1 runs in development');
    writeFiles(root, { 'mail.js': worker('v2') });
    const deployed = await run(system, root, ['deploy', 'mail']);
    expect(deployed.stdout).toContain('mail@2 runs in development');
    await waitFor(() => what(seen()).includes('stop v1'), { what: 'the former worker to stop', timeout: 20_000 });
    await waitFor(async () => (await service(system, root, 'mail')).instances.length === 1, {
      what: 'one worker',
      timeout: 20_000,
    });
    expect(await service(system, root, 'mail')).toMatchObject({
      release: 'mail@2',
      health: 'healthy',
      urls: [],
      instances: [{ release: 'mail@2' }],
    });

    await run(system, root, ['rollback', 'mail']);
    await waitFor(async () => (await service(system, root, 'mail')).health === 'healthy', {
      what: 'the former worker to run again',
      timeout: 20_000,
    });
    await waitFor(() => seen().length >= 5, {
      what: 'the newer worker to stop',
      timeout: 20_000,
    });
    expect(what(seen()).toSorted()).toEqual(['start v1', 'start v1', 'start v2', 'stop v1', 'stop v2']);
    expect(await service(system, root, 'mail')).toMatchObject({ release: 'mail@1' });
  });

  test('counts as verified when its check says so, and not otherwise', async () => {
    const { root, seen } = await workerProject('checked', ['check: node check.js']);
    writeFiles(root, { 'check.js': `console.log('asked'); process.exit(0)` });
    await run(system, root, ['up']);
    writeFiles(root, {
      'mail.js': worker('v2'),
      'check.js': `console.error('no connection to the queue'); process.exit(3)`,
    });
    const failed = await run(system, root, ['deploy', 'mail'], { code: 2 });
    expect(failed.stdout).toMatch(/no connection to the queue\n.*check of mail@2 failed: exit code 3\n/);
    expect(failed.stdout).toContain('mail@1 runs again');
    await waitFor(() => what(seen()).includes('stop v2'), { what: 'the failed worker to stop', timeout: 20_000 });
    expect(what(seen())).not.toContain('stop v1');
  });

  test('that ends at once is never called running', async () => {
    const { root, seen } = await workerProject('short');
    await run(system, root, ['up']);
    writeFiles(root, { 'mail.js': `console.log('nothing to do'); process.exit(0)` });
    const failed = await run(system, root, ['deploy', 'mail'], { code: 2 });
    expect(failed.stdout).toMatch(/mail@2 .*: it ended \d times in a row: exit code 0/);
    expect(what(seen())).toEqual(['start v1']);
    expect(await service(system, root, 'mail')).toMatchObject({ release: 'mail@1', health: 'healthy' });
  });

  test('is started again after a crash, later after each, with its log and its reason kept', async () => {
    const { root, seen } = await workerProject('crashes');
    await run(system, root, ['up']);
    const kill = async (): Promise<void> => {
      const { instances } = await service(system, root, 'mail');
      const before = seen().length;
      process.kill(instances.find((each) => each.pid !== null && each.state === 'running')?.pid ?? 0, 'SIGKILL');
      await waitFor(() => seen().length > before, { what: 'another start', timeout: 20_000 });
    };
    await kill();
    await kill();
    const { rollout } = await newest(system, root);
    expect(rollout.end).toBe(null);
    const now = await waitFor(
      async () => {
        const mail = await service(system, root, 'mail');
        return mail.instances.some((each) => each.restarts === 2) ? mail : null;
      },
      { what: 'two restarts to be counted' },
    );
    expect(now.instances.find((each) => each.restarts === 2)).toMatchObject({
      state: 'running',
      lastEnd: expect.stringContaining('SIGKILL'),
    });
    // Each generation waits longer than the one before it.
    const at = seen().map((line) => Number(line.split(' ')[3]));
    expect(at).toHaveLength(3);
    const logs = await run(system, root, ['logs', 'mail']);
    expect(logs.stdout.match(/worker v1 works/g)).toHaveLength(3);
  });
});
