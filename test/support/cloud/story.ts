import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cloudBuildSchema } from '../../../src/api/contract/cloud/build.ts';
import type { CloudCleanup } from '../../../src/api/contract/cloud/cleanup.ts';
import type { CloudCost, CloudStatus, CloudUrls } from '../../../src/api/contract/cloud/look.ts';
import type { CloudPlan } from '../../../src/api/contract/cloud/plan.ts';
import type { Ended } from '../../fixtures/cli/run-cli.ts';
import { waitFor } from '../wait.ts';
import { documentOf, linesOf } from './cli.ts';
import { type Told, writeDockerfile, writeVersion } from './story-project.ts';
import { type Stage, visitors } from './story-stage.ts';

/**
 * What a team does with its cloud, from the plan to the clean-up, by the command alone. One test for each chapter, in
 * their order; what comes after one that failed is left out, and the end cleans up all the same.
 *
 * @param minutes that a chapter may take at most
 */
export function tellStory(open: () => Stage, minutes: number): void {
  const timeout = minutes * 60_000;
  let stage: Stage;
  let failed = false;
  const chapter = (name: string, tell: () => Promise<void>): void =>
    test(name, { timeout }, async (context) => {
      if (failed) context.skip('a chapter before it failed');
      failed = true;
      await tell();
      failed = false;
    });

  let url = '';
  const told = async (): Promise<Told> => JSON.parse((await stage.visit(`${url}/`)).body) as Told;
  const status = async (): Promise<CloudStatus> =>
    documentOf(await stage.cloud(['status', '--wait', '2m', '--json'])) as CloudStatus;
  /** Where somebody counts them. */
  const expectBuilds = async (count: number): Promise<void> => {
    const calls = await stage.calls();
    if (calls !== null) expect(calls['cloudbuild.projects.locations.builds.create'] ?? 0).toBe(count);
  };
  /** What holds data wants its name typed besides, in the order in which it is shown. */
  const cleanUp = async (): Promise<Ended> => {
    const { items } = documentOf(await stage.cloud(['cleanup', '--list', '--json'])) as CloudCleanup;
    const names = items.filter(({ protection }) => protection !== null).map(({ address }) => address.split('/').at(-1));
    return stage.cloud(['cleanup'], ['DELETE ALL', ...names, ''].join('\n'));
  };

  beforeAll(() => void (stage = open()));
  afterAll(async () => {
    // Nobody is to pay for a story that ended badly; what could not be deleted is named.
    if (failed) {
      await stage.evenkeel(['down', '--yes']);
      const { code, stdout, stderr } = await cleanUp();
      if (code !== 0) console.log(`the clean-up ended with ${code}:\n${stdout}${stderr}`);
    }
    await stage.close();
  }, timeout);

  chapter('the plan says what there will be and what it costs, and makes nothing', async () => {
    const plan = await stage.cloud(['plan']);
    expect([plan.code, plan.stderr]).toEqual([0, '']);
    expect(plan.stdout).toMatch(/sql-instance\/\S+-production-main +\$\d/);
    const { resources } = await status();
    expect(resources.filter(({ kind, state }) => kind === 'bucket' && state !== 'missing')).toEqual([]);
  });

  chapter('set-up makes all of it, and nothing is left to do', async () => {
    const setup = await stage.cloud(['setup', '--yes']);
    expect([setup.code, setup.stderr]).toEqual([0, '']);
    expect(setup.stdout).toMatch(/\d+ created/);
    expect((await stage.cloud(['secret', 'JWT_SECRET'], 'hush-hush\n')).code).toBe(0);
    const { resources } = await status();
    expect(resources.filter(({ kind, state }) => kind !== 'service' && state !== 'ready')).toEqual([]);
    expect((documentOf(await stage.cloud(['plan', '--json'])) as CloudPlan).changes).toBe(0);
  });

  chapter('property 11: a build and a deploy refuse a Dockerfile alike, before anything is paid for', async () => {
    writeDockerfile(stage.folder, 'back', 'FROM node:24-slim\nCOPY . .\nCMD ["node", "services/back/main.js"]\n');
    const [build, deploy] = [await stage.cloud(['build']), await stage.cloud(['deploy'])];
    for (const refused of [build, deploy]) {
      expect(refused.code, refused.stdout + refused.stderr).toBe(1);
      expect(refused.stderr).toContain('dockerfile-wrong');
      expect(refused.stderr).toContain('services/back/Dockerfile:1');
    }
    writeDockerfile(stage.folder, 'back', null);
    await expectBuilds(0);
    expect((await stage.evenkeel(['rollouts'])).stdout).not.toContain('api@1');
  });

  chapter('property 10: a build leaves images with the time and latest as tags', async () => {
    const { code, stdout, stderr } = await stage.cloud(['build']);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/api {2}\S+\/api:\d{8}-\d{6}/);
    expect(stdout).toMatch(/back {2}\S+\/back:\d{8}-\d{6}/);
    await expectBuilds(2);
  });

  chapter(
    'properties 9, 12, 16, 17, 22, 23, 34: a first deploy says its HTTPS addresses, and they answer',
    async () => {
      const deployed = await stage.cloud(['deploy']);
      expect(deployed.code, deployed.stdout + deployed.stderr).toBe(0);
      expect(deployed.stdout).not.toContain('hush-hush');
      url = new RegExp(`https://${stage.place.project}-production-api-\\S+`).exec(deployed.stdout)?.[0] ?? '';
      // At once, without another try: what is said to serve does.
      expect(await told()).toEqual({
        version: 'v1',
        shared: 'of both',
        other: false,
        greeting: 'hello',
        token: 'hush-hush'.length,
        bucket: expect.stringContaining('media'),
        socket: expect.stringMatching(/^\/cloudsql\/.+:.+:.+/),
        database: true,
        back: expect.stringMatching(/^http/),
      });
      // It is there, and lets in nobody without a token of its own.
      expect(await stage.visit(`${url}/back`)).toMatchObject({ status: 200, body: 'answered 403' });
      expect(deployed.stdout).toMatch(/Written to \S+urls\.env: API_URL, BACK_URL\./);
    },
  );

  chapter('properties 21, 35: addresses are asked as whoever may, and written to the file', async () => {
    const file = (): string => readFileSync(join(stage.folder, 'urls.env'), 'utf8');
    const written = file();
    expect(written).toMatch(/^# ours\nLOG_LEVEL=info\n[^]*\nAPI_URL=https:.*\nBACK_URL=https:/);
    const urls = await stage.cloud(['urls', '--check', '--write', '--json']);
    expect(urls.code).toBe(0);
    const { services } = documentOf(urls) as CloudUrls;
    expect(services.map(({ service, check }) => [service, check?.ok])).toEqual([
      ['api', true],
      ['back', true],
    ]);
    expect(file()).toBe(written);
    const back = services.find(({ service }) => service === 'back')?.url ?? '';
    expect((await stage.visit(back)).status).toBe(403);
  });

  chapter('a good release is judged by the traffic of its canary, and promoted', async () => {
    writeVersion(stage.folder, { version: 'v2' });
    const many = visitors(() => stage.visit(`${url}/`), 20);
    const { code, stdout } = await stage.evenkeel(['deploy', 'api']);
    await many.stop();
    expect(code, stdout).toBe(0);
    expect(stdout).toMatch(/counts of requests/i);
    expect(many.versions.get('v2')).toBeGreaterThan(0);
    expect([...many.statuses.keys()]).toEqual([200]);
    expect((await told()).version).toBe('v2');
  });

  chapter('a rollback brings the former release, still hot, at once', async () => {
    const { code, stdout } = await stage.evenkeel(['rollback', 'api']);
    expect(code, stdout).toBe(0);
    expect(stdout).not.toContain('started again');
    expect((await told()).version).toBe('v1');
  });

  chapter('property 24: a bad release is taken back by its canary, says why, and the former one serves', async () => {
    writeVersion(stage.folder, { version: 'v3', failing: 0.5 });
    const many = visitors(() => stage.visit(`${url}/`), 20);
    const { code, stdout } = await stage.evenkeel(['deploy', 'api']);
    await many.stop();
    expect(code, stdout).toBe(2);
    expect(stdout).toMatch(/api@3 was taken back \(failed\); api@1 has all traffic/);
    expect(stdout).toMatch(/breaks its limit/);
    expect((await told()).version).toBe('v1');
  });

  chapter(
    'properties 14, 24: a deploy that cannot be built shows the end of the log, and deploys nothing',
    async () => {
      writeVersion(stage.folder, { version: 'v4', broken: true });
      const build = await stage.cloud(['build', 'api', '--json']);
      expect(build.code, build.stdout).toBe(2);
      const result = linesOf(build)
        .map((line) => cloudBuildSchema.parse(line))
        .at(-1);
      expect(result).toMatchObject({ built: [], failed: [{ problem: { code: 'cloud-build-failed' } }] });
      const { code, stdout } = await stage.evenkeel(['deploy', 'api']);
      expect(code, stdout).toBe(2);
      for (const said of [build.stdout, stdout]) expect(said).toContain('cannot be built: v4');
      expect((await told()).version).toBe('v1');
    },
  );

  chapter('properties 24, 36: a release that is not well fails with what was asked and answered', async () => {
    writeVersion(stage.folder, { version: 'v5', sick: true });
    const { code, stdout } = await stage.evenkeel(['deploy', 'api']);
    expect(code, stdout).toBe(2);
    expect(stdout).toMatch(/GET https:\/\/\S+\/health answered 503: the model is not loaded/);
    const logs = await stage.evenkeel([
      'logs',
      'api',
      '--release',
      /api@\d+(?= was taken back)/.exec(stdout)?.[0] ?? '',
    ]);
    expect(logs.stdout, 'what is gone left what it said').toContain('it listens');
    expect((await told()).version).toBe('v1');
  });

  chapter('status says what serves and what there is, and cost what it comes to', async () => {
    const serving = await stage.evenkeel(['status']);
    expect([serving.code, serving.stdout]).toEqual([0, expect.stringMatching(/api +.*api@1/)]);
    const { resources } = await status();
    expect(resources.filter(({ kind }) => kind === 'service')).toMatchObject([
      { state: 'ready', url },
      { state: 'ready' },
    ]);
    // Set up before there were addresses, and still as the file says.
    expect(resources.flatMap(({ address, differs }) => (differs.length === 0 ? [] : [address]))).toEqual([]);
    const cost = documentOf(await stage.cloud(['cost', '--json'])) as CloudCost;
    expect(cost.estimate.total.high).toBeGreaterThan(0);
  });

  chapter('the cloud rests over night, and is woken', async () => {
    expect((await stage.cloud(['stop', '--yes'])).code).toBe(0);
    const resting = (await status()).resources;
    expect(resting.find(({ kind }) => kind === 'sql-instance')?.state).toBe('stopped');
    expect((await stage.cloud(['start', '--yes'])).code).toBe(0);
    await waitFor(async () => (await told()).version === 'v1', { what: 'v1 to answer again', timeout });
  });

  chapter('the clean-up takes all of it and nothing else', async () => {
    expect((await stage.cloud(['cleanup', '--list'])).stderr).toContain('evenkeel down --env production');
    expect((await stage.evenkeel(['down', '--yes'])).code).toBe(0);
    const { code, stdout, stderr } = await cleanUp();
    expect(code, stdout).toBe(0);
    expect(stderr).not.toContain('evenkeel down');
    expect(stdout).toContain(`service/${stage.place.project}-production-api`);
    const left = (await status()).resources.filter(({ state }) => state !== 'missing').map(({ kind }) => kind);
    expect(new Set(left)).toEqual(new Set(['api', 'log-retention', 'audit-logs']));
    await stage.calls();
  });
}
