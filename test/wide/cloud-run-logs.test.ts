import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startCli } from '../fixtures/cli/run-cli.ts';
import { endEmulators } from '../emulator/emulated.ts';
import { once } from '../support/cloud/cloud-run-world.ts';
import { CloudStage } from '../support/cloud/cloud-stage.ts';
import { tempDir } from '../support/temp.ts';
import { waitFor } from '../support/wait.ts';

let stage: CloudStage;

beforeAll(async () => {
  stage = await CloudStage.prepare(tempDir('c'));
  await stage.system.start();
});

afterAll(async () => {
  await stage.system.stop();
  await endEmulators();
});

const logs = (...args: string[]) => stage.system.cli(['logs', ...args, '--env', 'production'], { cwd: stage.root });

describe('the logs of an environment on Cloud Run', { timeout: 180_000 }, () => {
  test('what a migration wrote, and why one failed, in its last lines', async () => {
    await stage.promoted(await stage.deploy());
    const migrated = await logs('--job', 'migrate');
    expect([migrated.code, migrated.stderr]).toEqual([0, '']);
    expect(migrated.stdout).toContain('migrate api v0');
    const built = await logs('api', '--job', 'build');
    expect(built.stdout).toContain('FROM node:24');

    stage.change({ version: 'v1', migrate: 'echo "relation users is gone" >&2; exit 7' });
    const id = await stage.deploy();
    const failed = await stage.system.reach(id, ({ end }) => end !== null, 'its end', 120_000);
    expect(failed).toMatchObject({ end: 'failed', reason: expect.stringContaining('exit code 7') });
    expect(failed.reason).toContain('relation users is gone');
    expect(await stage.answers()).toBe('v0');
  });

  test('what instances write is followed, over to the next release, and Ctrl-C ends it', async () => {
    stage.change({ version: 'v2' });
    await stage.promoted(await stage.deploy());
    const { env } = stage.system;
    const following = startCli(['logs', 'api', '--follow', '--env', 'production'], {
      cwd: stage.root,
      env: env as Record<string, string>,
    });
    const shows = (text: string): Promise<boolean> =>
      waitFor(() => following.stdout().includes(text), { what: `"${text}" to be shown`, timeout: 60_000 });
    await once(stage.emulator.url, `${await stage.address()}say-one`);
    await shows('v2 was asked /say-one');
    stage.change({ version: 'v3' });
    await stage.promoted(await stage.deploy());
    await once(stage.emulator.url, `${await stage.address()}say-two`);
    await shows('v3 was asked /say-two');
    following.kill('SIGINT');
    const { code, stdout } = await following.ended;
    expect(code).toBe(130);
    expect(stdout.match(/v2 was asked \/say-one/g)).toHaveLength(1);
  });
});
