import { beforeEach, describe, expect, test } from 'vitest';
import { cloudCleanupSchema } from '../../../src/api/contract/cloud/cleanup.ts';
import {
  cloudCostSchema,
  cloudListSchema,
  cloudStatusSchema,
  cloudUrlsSchema,
} from '../../../src/api/contract/cloud/look.ts';
import { cloudPlanSchema } from '../../../src/api/contract/cloud/plan.ts';
import { cloudRunLineSchema } from '../../../src/api/contract/cloud/run.ts';
import { EvenkeelError } from '../../../src/ports/errors.ts';
import { billLine, EXPORT } from '../../support/cloud/bill.ts';
import { cloudCli, documentOf, FILE, linesOf, type RunOptions, type Said } from '../../support/cloud/cli.ts';
import { fakeCloud, type FakeCloud } from '../../support/cloud/fake-cloud.ts';
import { bucketSample } from '../../support/cloud/samples.ts';
import { tempDir } from '../../support/temp.ts';

let cloud: FakeCloud;
let run: (args: string[], options?: RunOptions) => Promise<Said>;

beforeEach(() => {
  cloud = fakeCloud();
  const cli = cloudCli(cloud, tempDir('chat'), FILE);
  run = (args, options) => cli(['cloud', ...args, '--env', 'staging'], options);
});

const setUp = async (): Promise<void> => {
  const { code, stderr } = await run(['setup', '--yes']);
  expect(stderr).toBe('');
  expect(code).toBe(0);
};

const changes = (): string[] => cloud.calls.filter((call) => !call.startsWith('look'));

test('a plan shows what would be made and what it costs, and changes nothing', async () => {
  const { code, stdout } = await run(['plan']);
  expect(code).toBe(0);
  expect(stdout).toContain('+   bucket/chat-staging-media');
  expect(stdout).toMatch(/\+ {3}sql-instance\/chat-staging-main +\$\d/);
  expect(stdout).toMatch(/Plan: \d+ to create, 0 to update, 0 to replace/);
  expect(stdout).toMatch(/Monthly cost: \$\d/);
  expect(stdout).toContain('A secret has no value yet: JWT_SECRET');
  expect(changes()).toEqual([]);
});

test('every document of --json is what the contract says', async () => {
  cloudPlanSchema.parse(documentOf(await run(['plan', '--json'])));
  for (const line of linesOf(await run(['setup', '--yes', '--json']))) cloudRunLineSchema.parse(line);
  cloudStatusSchema.parse(documentOf(await run(['status', '--json'])));
  cloudListSchema.parse(documentOf(await run(['list', '--json'])));
  cloudCostSchema.parse(documentOf(await run(['cost', '--json'])));
  cloudUrlsSchema.parse(documentOf(await run(['urls', '--json'])));
  cloudCleanupSchema.parse(documentOf(await run(['cleanup', '--list', '--json'])));
});

test('set-up makes everything, says what to do next, and has nothing to do the second time', async () => {
  const first = await run(['setup', '--yes']);
  expect(first.code).toBe(0);
  expect(first.stdout).toMatch(/\d+ created, in/);
  expect(first.stdout).toContain('evenkeel cloud secret JWT_SECRET --env staging');
  expect(first.stdout).toContain('evenkeel deploy --env staging');
  cloud.calls.length = 0;
  const second = await run(['setup', '--yes']);
  expect(second.code).toBe(0);
  expect(second.stdout).toContain('Everything is as evenkeel.yaml says');
  expect(second.stdout).toContain('Nothing to do.');
  expect(changes()).toEqual([]);
});

test('set-up asks before it begins, and without anybody to ask it does nothing', async () => {
  const { code, stderr } = await run(['setup']);
  expect(code).toBe(1);
  expect(stderr).toContain('not-confirmed');
  expect(changes()).toEqual([]);
});

test('set-up of one part makes that and what it needs, and no more', async () => {
  const { code } = await run(['setup', '--only', 'database', '--yes']);
  expect(code).toBe(0);
  expect([...cloud.there.keys()]).toContain('sql-instance/chat-staging-main');
  expect([...cloud.there.keys()]).toContain('api/sqladmin.googleapis.com');
  expect([...cloud.there.keys()].filter((address) => address.startsWith('bucket/'))).toEqual([]);
  const wrong = await run(['setup', '--only', 'databse', '--yes']);
  expect(wrong.code).toBe(1);
  expect(wrong.stderr).toContain('did you mean database?');
});

test('exit code 2 and all failures at the end when something could not be made', async () => {
  cloud.broken.add('bucket/chat-staging-media').add('account/chat-staging-run');
  const { code, stdout } = await run(['setup', '--yes']);
  expect(code).toBe(2);
  expect(stdout).toContain('2 operations failed:');
  expect(stdout).toContain('create bucket/chat-staging-media');
  expect(stdout).toContain('Not begun, since they need what failed: role/chat-staging-run/');
  expect([...cloud.there.keys()]).toContain('sql-instance/chat-staging-main');
  cloud.broken.clear();
  await setUp();
});

test('success is not said of what is not there afterwards', async () => {
  const create = cloud.create.bind(cloud);
  cloud.create = async (resource, progress, signal) => {
    const made = await create(resource, progress, signal);
    if (resource.kind === 'bucket') cloud.there.delete(`bucket/${resource.name}`);
    return made;
  };
  const { code, stdout } = await run(['setup', '--yes']);
  expect(code).toBe(2);
  expect(stdout).toContain('create bucket/chat-staging-media: it was asked for, and is not there');
});

test('exit code 1 and nothing done when a part of the cloud cannot be seen', async () => {
  cloud.hanging.add('bucket');
  const look = cloud.look.bind(cloud);
  cloud.look = (kinds, options) => look(kinds, { ...options, deadlineMs: 20 });
  const { code, stderr } = await run(['setup', '--yes']);
  expect(code).toBe(1);
  expect(stderr).toContain('bucket could not be looked at');
  expect(changes()).toEqual([]);
});

test('Ctrl-C ends set-up at the next safe point and says how to go on', async () => {
  let interrupt = (): void => {};
  cloud.onChange = (_call, nth, when) => {
    if (nth === 9 && when === 'after') interrupt();
  };
  const first = await run(['setup', '--yes'], { onInterruptible: (callback) => (interrupt = callback) });
  expect(first.code).toBe(130);
  expect(first.stdout).toContain('Interrupted.');
  expect(first.stdout).toContain('evenkeel cloud setup --env staging');
  expect([...cloud.there.keys()]).not.toContain('sql-user/chat-staging-main/app');
  cloud.onChange = null;
  await setUp();
});

test('property 30: what is missing is shown as missing', async () => {
  await setUp();
  cloud.there.delete('bucket/chat-staging-media');
  const { code, stdout } = await run(['status']);
  expect(code).toBe(0);
  expect(stdout).toMatch(/bucket\/chat-staging-media +missing/);
  expect(stdout).toMatch(/bucket\/chat-staging-avatars +ready/);
  expect(stdout).toMatch(/\d+ alert policies/);
});

test('property 29: what hangs is shown as unknown beside all that is known', async () => {
  await setUp();
  cloud.hanging.add('secret');
  const look = cloud.look.bind(cloud);
  cloud.look = (kinds, options) => look(kinds, { ...options, deadlineMs: 30 });
  const { code, stdout } = await run(['status']);
  // Nobody who asks the exit code takes it for well.
  expect(code).toBe(1);
  expect(stdout).toMatch(/secret\/chat-staging-jwt-secret +unknown/);
  expect(stdout).toMatch(/bucket\/chat-staging-media +ready/);
});

test('what evenkeel did not make is listed apart', async () => {
  await setUp();
  cloud.there.set('bucket/theirs', { ...bucketSample('theirs'), labels: {}, state: 'ready', createdAt: 0 } as never);
  const { stdout } = await run(['list']);
  expect(stdout).toMatch(/Of nobody that evenkeel knows: 1\n.*\n +bucket\/theirs/);
});

test('what is not there does not answer, and --check says so by its exit code', async () => {
  await setUp();
  expect((await run(['urls'])).code).toBe(0);
  const { code, stdout } = await run(['urls', '--check']);
  expect([code, stdout]).toEqual([2, expect.stringContaining('is not there yet')]);
});

test('each estimate says what it rests on, once for those in a row that rest on the same', async () => {
  const { stdout } = await run(['cost']);
  expect(stdout).toMatch(/sql-instance\/chat-staging-main +\$.*\n {6}db-f1-micro at about/);
  expect(stdout.match(/from empty to 10 GB/g)).toHaveLength(1);
  expect(stdout.split('\n').filter((line) => line.length > 110)).toEqual([]);
});

test('an environment whose database is protected is stopped only when that was confirmed', async () => {
  const file = FILE.replace('  production:', '  live: { runtime: cloud-run }\n  production:');
  const cli = cloudCli(cloud, tempDir('chat'), file);
  const live = (...args: string[]): Promise<Said> => cli(['cloud', ...args, '--env', 'live']);
  expect((await live('setup', '--yes')).code).toBe(0);
  const asked = await live('stop');
  expect([asked.code, asked.stderr]).toEqual([1, expect.stringContaining('not-confirmed')]);
  expect(cloud.there.get('sql-instance/chat-live-main')?.state).toBe('ready');
  expect((await live('stop', '--yes')).code).toBe(0);
  const cleanup = await cli(['cloud', 'cleanup', '--list'], { env: { EVENKEEL_ENV: 'live' } });
  expect(cleanup.code).toBe(0);
  const unnamed = await cli(['cloud', 'cleanup'], { env: { EVENKEEL_ENV: 'live' }, input: 'DELETE ALL\n' });
  expect([unnamed.code, unnamed.stderr]).toEqual([1, expect.stringContaining('--env live')]);
});

test('databases rest and wake', async () => {
  await setUp();
  expect((await run(['stop'])).code).toBe(0);
  expect(cloud.there.get('sql-instance/chat-staging-main')?.state).toBe('stopped');
  expect((await run(['stop'])).stdout).toContain('rests already');
  const again = await run(['stop', 'chat-staging-main']);
  expect([again.code, again.stdout]).toEqual([0, expect.stringContaining('chat-staging-main rests already')]);
  expect((await run(['stop', 'nothing'])).stderr).toContain('resource-unknown');
  const { code, stdout } = await run(['start', 'chat-staging-main']);
  expect(code).toBe(0);
  expect(stdout).toContain('1 started');
  const main = cloud.there.get('sql-instance/chat-staging-main');
  expect(main?.state).toBe('ready');
  // One that never came up is neither: nobody says that it was stopped.
  if (main !== undefined) cloud.there.set('sql-instance/chat-staging-main', { ...main, state: 'failed' });
  expect((await run(['stop'])).stdout).not.toContain('stopped');
});

test('a secret gets its value from a pipe, and it is shown nowhere', async () => {
  await setUp();
  const { code, stdout, stderr } = await run(['secret', 'JWT_SECRET'], { input: 'hush-hush-value\n' });
  expect(code).toBe(0);
  expect(stdout + stderr).not.toContain('hush-hush');
  expect(cloud.secretValues.get('chat-staging-jwt-secret')).toBe('hush-hush-value');
  expect((await run(['plan'])).stdout).not.toContain('no value yet');
  expect((await run(['secret', 'JWT_SECRTE'], { input: 'x\n' })).stderr).toContain('did you mean JWT_SECRET?');
  const derived = await run(['secret', 'DATABASE_URL'], { input: 'x\n' });
  expect(derived).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('evenkeel cloud secret DATABASE_PASSWORD'),
  });
});

test('cost says what the file will cost, line by line', async () => {
  const { stdout } = await run(['cost']);
  expect(stdout).toMatch(/sql-instance\/chat-staging-main +\$\d/);
  expect(stdout).toMatch(/Estimate: .*a month/);
  expect(stdout).toContain('Budget: none');
});

describe('what was billed', () => {
  const withExport = (file = FILE) => {
    const cli = cloudCli(
      cloud,
      tempDir('chat'),
      file.replace('region: europe-west1 }', `region: europe-west1, budget: 100 USD, billingExport: ${EXPORT} }`),
    );
    return (...args: string[]): Promise<Said> => cli(['cloud', 'cost', ...args, '--env', 'staging']);
  };
  const ours = { project: 'chat', environment: 'staging' };

  test('is shown line by line, what is nobody’s and others’ as that, and adds up to the bill', async () => {
    cloud.bill = [
      billLine('Cloud SQL', { labels: ours, cost: 5_004_000_000n }),
      billLine('Cloud Run', { labels: { ...ours, service: 'api' }, cost: 1_004_000_000n }),
      billLine('Cloud Storage', { labels: ours, cost: 304_000_000n }),
      billLine('Cloud SQL', { labels: { ...ours, environment: 'production' }, cost: 40_000_000_000n }),
      billLine('Cloud Logging', { cost: 200_000_000n, credits: -100_000_000n }),
    ];
    const { code, stdout } = await withExport()();
    expect(code).toBe(0);
    expect(stdout).toMatch(/sql-instance\/chat-staging-main +\$\S+( to \S+)? +\$5\.01\n/);
    expect(stdout).toMatch(/service\/chat-staging-api +up to \S+ +\$1\.00\n/);
    expect(stdout).toMatch(/Cloud Storage of this environment +\$0\.30\n/);
    expect(stdout).toMatch(/chat\/production +\$40\.00\n/);
    expect(stdout).toMatch(/Cloud Logging of nobody known +\$0\.10\n/);
    expect(stdout).toMatch(/together +\$.*\$46\.41\n/);
    expect(stdout).toMatch(
      /Actual: \$46\.41 billed to chat-cloud-1 in \d{4}-\d\d, with 0\.10 USD of credits taken off \(use up to 2026-11-20\s+00:00 UTC\)\./,
    );
    expect(stdout).toContain('$46.41 of $100.00 spent (46 %)');
    const cost = cloudCostSchema.parse(documentOf(await withExport()('--json')));
    expect(cost.actualProblem).toBeNull();
    expect(cost.actual).toMatchObject({ total: 46.412, currency: 'USD', credits: -0.1 });
    const shown = [...(cost.actual?.parts ?? []), ...(cost.actual?.rest ?? [])];
    expect(shown.reduce((sum, { amount }) => sum + amount, 0)).toBeCloseTo(46.412, 9);
  });

  test('is not known without an export, and without a row in it: why, and what to do, is said beside the estimate', async () => {
    const without = await run(['cost']);
    expect(without.code).toBe(0);
    expect(without.stdout).toMatch(/Actual: not known: .*the file names none/);
    expect(without.stdout).toContain('`cloud.billingExport`');
    const empty = await withExport()();
    expect(empty.stdout).toMatch(/Estimate: .*a month/);
    expect(empty.stdout).toMatch(/Actual: not known: the export holds nothing of chat-cloud-1 in \d{4}-\d\d yet/);
    expect(cloudCostSchema.parse(documentOf(await withExport()('--json')))).toMatchObject({
      actual: null,
      actualProblem: { code: 'cloud-bill-empty', retryable: true },
    });
  });

  test('a refusal costs the estimate nothing', async () => {
    cloud.billed = () =>
      Promise.reject(
        new EvenkeelError({ code: 'cloud-api-disabled', what: 'it is off', next: 'evenkeel cloud enable' }),
      );
    const { code, stdout } = await withExport()();
    expect(code).toBe(0);
    expect(stdout).toMatch(/Estimate: .*a month/);
    expect(stdout).toMatch(/Actual: not known: it is off\.\n +evenkeel cloud enable --env staging\n/);
  });
});
