import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { PlannedFault } from '../../src/emulator/core/faults.ts';
import { startCli } from '../fixtures/cli/run-cli.ts';
import { endEmulators } from '../emulator/emulated.ts';
import { load, once } from '../support/cloud/cloud-run-world.ts';
import { CloudStage } from '../support/cloud/cloud-stage.ts';
import { tempDir } from '../support/temp.ts';
import { waitFor } from '../support/wait.ts';

const RUN = 'run.projects.locations';
const again = { status: 'UNAVAILABLE', retryAfterS: 1 } as const;

/** One of each kind, on what a rollout asks for. */
const FAULTS: PlannedFault[] = [
  { method: `${RUN}.jobs.create`, do: 'fail', ...again },
  { method: `${RUN}.jobs.get`, do: 'fail', ...again, times: 2 },
  { method: `${RUN}.jobs.executions.list`, do: 'fail', status: 'INTERNAL' },
  { method: `${RUN}.services.patch`, do: 'fail', status: 'ABORTED', message: 'the service was changed meanwhile' },
  { method: `${RUN}.services.patch`, do: 'cut', when: 'after', nth: 3 },
  { method: `${RUN}.services.patch`, do: 'cut', when: 'before', nth: 5 },
  { method: `${RUN}.services.list`, do: 'slow', ms: 1_500, nth: 4, times: 3 },
  { method: `${RUN}.services.list`, do: 'quota', nth: 12, times: 2 },
  { method: `${RUN}.services.getIamPolicy`, do: 'fail', status: 'INTERNAL', times: 2 },
  { method: `${RUN}.services.revisions.get`, do: 'quota', nth: 2 },
  { method: 'monitoring.projects.timeSeries.list', do: 'fail', status: 'UNAVAILABLE', nth: 2, times: 4 },
  { method: 'cloudbuild.projects.locations.builds.create', do: 'fail', ...again },
];

let stage: CloudStage;

beforeAll(async () => {
  stage = await CloudStage.prepare(tempDir('c'));
  await stage.system.start();
  await stage.promoted(await stage.deploy());
});

afterEach(() => {
  stage.interfere(null);
  stage.emulator.world.faults.clear();
});

afterAll(async () => {
  await stage.system.stop();
  await endEmulators();
});

const over = (id: string, wanted: string): Promise<string> =>
  stage.system
    .reach(id, ({ end, settled }) => end !== null && settled, `${id} to be over`, 150_000)
    .then(({ end, reason }) => (end === wanted ? wanted : `${end}: ${reason}`));

describe('faults of the cloud', { timeout: 300_000 }, () => {
  test('a rollout goes on through errors, quotas, lost answers and slow ones, and no request notices', async () => {
    const traffic = load(stage.emulator.url, await stage.address(), 20);
    stage.change({ version: 'v1', canary: [50], rollbackWindow: 3_000, rollout: 'onInconclusive: promote' });
    for (const fault of FAULTS) stage.emulator.world.faults.plan(fault);
    const id = await stage.deploy();
    expect(await over(id, 'complete')).toBe('complete');
    expect(await stage.answers()).toBe('v1');
    await traffic.stop();
    expect([...traffic.odd]).toEqual([]);
    expect(traffic.statuses.get(200)).toBeGreaterThan(50);
    expect(stage.witnessed().get('migrate api v1')).toBe(1);
  });

  test('a rollback while Cloud Run is away is done when it is back, and says so if that takes long', async () => {
    const before = await stage.answers();
    stage.change({ version: 'v2' });
    const id = await stage.deploy();
    await stage.promoted(id);
    const address = await stage.address();
    stage.interfere((method) => (method.startsWith('run.') ? [{ do: 'fail', ...again }] : []));
    const waits = await stage.system.cli(['rollback', 'api', '--env', 'production'], { cwd: stage.root });
    expect(waits.code).toBe(2);
    expect(waits.stderr).toMatch(/is not taken back yet: what steers its traffic does not answer/);
    expect(waits.stderr).toContain('it is tried again and again');
    expect((await once(stage.emulator.url, address)).body).toBe('v2');
    stage.interfere(null);
    expect(await over(id, 'rolled-back')).toBe('rolled-back');
    expect(await stage.answers()).toBe(before);
  });

  test('a rollback through a short outage is simply a little later', async () => {
    const before = await stage.answers();
    stage.change({ version: 'v3' });
    const id = await stage.deploy();
    await stage.promoted(id);
    let refused = 0;
    stage.interfere((method) => (method.startsWith('run.') && ++refused < 12 ? [{ do: 'fail', ...again }] : []));
    await waitFor(() => refused > 0, { what: 'Cloud Run to be asked' });
    const back = await stage.system.cli(['rollback', 'api', '--env', 'production'], { cwd: stage.root });
    expect([back.code, back.stderr]).toEqual([0, '']);
    expect(await stage.answers()).toBe(before);
  });

  test('Ctrl-C of a deploy leaves the rollout going', async () => {
    stage.change({ version: 'v4', rollbackWindow: 1_000 });
    const env = stage.system.env as Record<string, string>;
    const typed = startCli(['deploy', '--env', 'production'], { cwd: stage.root, env });
    await waitFor(() => /build/i.test(typed.stdout()), { what: 'the build to begin', timeout: 60_000 });
    typed.kill('SIGINT');
    expect((await typed.ended).code).toBe(130);
    await waitFor(async () => (await stage.answers()) === 'v4', { what: 'v4 to answer', timeout: 120_000 });
  });
});

describe('releases on Cloud Run', { timeout: 300_000 }, () => {
  test('of two services that roll out as one unit, one is bad: both are taken back', async () => {
    const services = ['web'];
    stage.change({ version: 'v5', services, rollbackWindow: 1_000 });
    expect(await over(await stage.deploy(), 'complete')).toBe('complete');
    stage.change({ version: 'v6', services, bad: 70, canary: [50], step: '60s' });
    const traffic = [load(stage.emulator.url, await stage.address('api'), 10)];
    traffic.push(load(stage.emulator.url, await stage.address('web'), 20));
    const id = await stage.deploy();
    const failed = await stage.system.reach(id, ({ end, settled }) => end !== null && settled, 'its end', 150_000);
    for (const each of traffic) await each.stop();
    expect(failed).toMatchObject({ end: 'failed', reason: expect.stringContaining('web@') });
    expect([await stage.answers('api'), await stage.answers('web')]).toEqual(['v5', 'v5']);
    // The one that was well had its share, too, and lost it with the other.
    expect(traffic[0]?.seen.get('v6')).toBeGreaterThan(0);
    expect([...(traffic[0]?.odd ?? [])]).toEqual([]);
    expect([...(traffic[1]?.odd.keys() ?? [])]).toEqual(['500 v6']);
    for (const name of ['api', 'web']) expect(await shares(name)).toEqual([100]);
  });

  test('the former release is kept awake for the window only, and rollouts in a row leave nothing that grows', async () => {
    const sizes: number[] = [];
    const left: number[] = [];
    for (const version of ['a1', 'a2', 'a3', 'a4']) {
      stage.change({ version, minInstances: 1, rollbackWindow: 2_500 });
      const id = await stage.deploy();
      await stage.promoted(id);
      // Hot: both are reachable, and so have an instance each.
      if (version !== 'a1') expect(await tags('api')).toBe(2);
      expect(await over(id, 'complete')).toBe('complete');
      await waitFor(async () => (await tags('api')) === 1, { what: 'the former release to lose its tag' });
      expect(await shares('api')).toEqual([100]);
      left.push(await count('services/shop-production-api/revisions'), await count('jobs'));
      sizes.push(JSON.stringify((await stage.cloud('services/shop-production-api')).annotations).length);
    }
    // What evenkeel writes onto the service is read with every look at it.
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThan(1_000);
    // Revisions and jobs, whatever rollouts before these have left: none is added by another rollout.
    const [revisions = 0, jobs = 0] = left;
    expect(left.at(-2), left.join(' ')).toBeLessThanOrEqual(revisions + 1);
    expect(left.at(-1), left.join(' ')).toBeLessThanOrEqual(jobs + 1);
  });
});

const count = async (what: string): Promise<number> =>
  Object.values((await stage.cloud(`${what}?pageSize=100`)) as object).flatMap((all) => (Array.isArray(all) ? all : []))
    .length;

interface Target {
  percent?: number;
  tag?: string;
}

const targets = async (name: string): Promise<Target[]> =>
  ((await stage.cloud(`services/shop-production-${name}`)) as { trafficStatuses?: Target[] }).trafficStatuses ?? [];
const shares = async (name: string): Promise<number[]> =>
  (await targets(name)).flatMap(({ percent = 0 }) => (percent > 0 ? [percent] : []));
const tags = async (name: string): Promise<number> =>
  (await targets(name)).filter(({ tag }) => tag !== undefined && tag !== '').length;
