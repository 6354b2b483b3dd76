import { beforeEach, expect, test } from 'vitest';
import type { Observed } from '../../../src/domain/cloud/resource.ts';
import { cloudCli, FILE, type RunOptions, type Said } from '../../support/cloud/cli.ts';
import { fakeCloud, type FakeCloud } from '../../support/cloud/fake-cloud.ts';
import { bucketSample } from '../../support/cloud/samples.ts';
import { tempDir } from '../../support/temp.ts';

let cloud: FakeCloud;
let cli: (args: string[], options?: RunOptions) => Promise<Said>;

const run = (args: string[], options?: RunOptions): Promise<Said> =>
  cli(['cloud', ...args, '--env', 'staging'], options);

beforeEach(async () => {
  cloud = fakeCloud();
  cli = cloudCli(cloud, tempDir('chat'), FILE);
  const { code } = await run(['setup', '--yes']);
  expect(code).toBe(0);
  put({ ...bucketSample('theirs'), labels: {} });
  put({ ...bucketSample('other-env'), labels: { 'evenkeel-project': 'chat', 'evenkeel-environment': 'development' } });
  holding('bucket/chat-staging-media', 3 * 2 ** 30, 120);
  holding('bucket/chat-staging-avatars', 0, 0);
  cloud.calls.length = 0;
});

const put = (resource: object): void => {
  const { kind, name } = resource as Observed;
  cloud.there.set(`${kind}/${name}`, {
    ...resource,
    state: 'ready',
    createdAt: Date.now() - 3 * 86_400_000,
  } as Observed);
};

function holding(address: `bucket/${string}`, bytes: number, objects: number): void {
  const known = cloud.there.get(address);
  if (known === undefined) throw new Error(`${address} is not there`);
  cloud.there.set(address, { ...known, size: { bytes, objects } });
}

const left = (kind: string): string[] =>
  [...cloud.there.keys()]
    .filter((address) => address.startsWith(`${kind}/`))
    .map((address) => address.slice(kind.length + 1));
const removed = (): string[] => cloud.calls.filter((call) => call.startsWith('remove'));

const TYPED = { all: 'DELETE ALL', media: 'chat-staging-media', database: 'chat-staging-main' };
const lines = (...words: string[]): string => `${words.join('\n')}\n`;

test('DELETE ALL deletes what evenkeel labelled, and nothing of anybody else', async () => {
  const answers = lines(TYPED.all, TYPED.media, TYPED.database);
  // Which of the two is asked for first is no concern of this test.
  const { code, stdout, stderr } = await run(['cleanup'], { input: answers });
  const again = stdout.includes('stays.')
    ? await run(['cleanup'], { input: lines(TYPED.all, TYPED.database, TYPED.media) })
    : null;
  expect(stderr).toContain('Type DELETE ALL');
  expect([code, again?.code ?? 0]).toEqual([0, 0]);
  expect(left('bucket').toSorted()).toEqual(['other-env', 'theirs']);
  expect(left('sql-instance')).toEqual([]);
  expect(left('secret')).toEqual([]);
  expect(left('account')).toEqual([]);
  expect(left('api').length).toBeGreaterThan(0);
});

test('what goes is shown with size and age before anything is asked, and what stays beside it', async () => {
  const { stdout, code } = await run(['cleanup', '--list']);
  expect(code).toBe(0);
  expect(stdout).toMatch(/bucket\/chat-staging-media +bucket, 3 GiB in 120 objects/);
  expect(stdout).toMatch(/This stays:\n.*\n(.*\n)*? +bucket\/theirs +bucket, .*3 days old/);
  expect(removed()).toEqual([]);
});

test('a wrong phrase, no phrase, and --yes delete nothing', async () => {
  for (const options of [{ input: 'delete all\n' }, { input: '' }, { input: 'y\n' }]) {
    const { code, stderr } = await run(['cleanup', '--yes'], options);
    expect(code).toBe(1);
    expect(stderr).toContain('not-confirmed');
  }
  expect(removed()).toEqual([]);
});

test('databases and buckets that hold something stay unless their names are typed, and the rest goes', async () => {
  const { code, stdout } = await run(['cleanup'], { input: lines(TYPED.all, 'no', 'no') });
  expect(code).toBe(0);
  expect(stdout).toContain('bucket/chat-staging-media stays.');
  expect(stdout).toContain('sql-instance/chat-staging-main stays.');
  expect(left('sql-instance')).toEqual([TYPED.database]);
  expect(left('bucket')).toContain(TYPED.media);
  expect(left('bucket')).not.toContain('chat-staging-avatars');
});

test('one by one, each is asked for, and q ends it', async () => {
  const { code } = await run(['cleanup'], { input: lines('1', 'y', 'n', 'q') });
  expect(code).toBe(0);
  expect(removed()).toHaveLength(1);
});

test('from the menu only what was chosen goes', async () => {
  const { code } = await run(['cleanup'], { input: lines('2', 'bucket/chat-staging-avatars', 'y') });
  expect(code).toBe(0);
  expect(removed()).toEqual(['remove bucket/chat-staging-avatars']);
  const wrong = await run(['cleanup'], { input: lines('2', '1,99', 'y') });
  expect(wrong.code).toBe(1);
  expect(removed()).toHaveLength(1);
});

test('--all takes what evenkeel did not make, after it was shown apart', async () => {
  const { stdout } = await run(['cleanup', '--all'], { input: lines('2', 'bucket/theirs', 'y', 'theirs') });
  expect(stdout).toContain('which evenkeel did not make for this environment');
  expect(left('bucket')).not.toContain('theirs');
});

test('production is refused unless it is typed out', async () => {
  const { code, stderr } = await cli(['cloud', 'cleanup'], {
    env: { EVENKEEL_ENV: 'production' },
    input: lines(TYPED.all),
  });
  expect(code).toBe(1);
  expect(stderr).toContain('--env production');
  expect(cloud.calls.filter((call) => call.startsWith('remove'))).toEqual([]);
  const typed = await cli(['cloud', 'cleanup', '--env', 'production', '--list']);
  expect(typed.code).toBe(0);
});

test('property 33: a clean-up goes on past what fails, says all of it at the end, and exits with 2', async () => {
  cloud.broken.add('secret/chat-staging-jwt-secret').add('repository/chat-staging');
  const { code, stdout } = await run(['cleanup'], { input: lines(TYPED.all, 'no', 'no') });
  expect(code).toBe(2);
  expect(stdout).toContain('2 operations failed:');
  expect(left('bucket')).not.toContain('chat-staging-avatars');
});

test('property 31: clusters are seen before a clean-up', async () => {
  put({ kind: 'cluster', name: 'old-gke', location: 'europe-west1', attributes: { nodes: 3 }, labels: {} });
  const { stdout } = await run(['cleanup', '--list']);
  expect(stdout).toMatch(/cluster\/old-gke +GKE cluster, 3 nodes/);
});

test('property 32: APIs that nothing needs any more are switched off at the end, when asked to', async () => {
  const { code } = await run(['cleanup', '--apis'], { input: lines(TYPED.all, TYPED.media, TYPED.database) });
  expect(code).toBe(0);
  expect(left('api')).not.toContain('secretmanager.googleapis.com');
  expect(left('api')).toContain('iam.googleapis.com');
});

test('one resource is deleted by its name; what holds data wants it typed', async () => {
  expect((await run(['delete', 'bucket/chat-staging-avatars', '--yes'])).code).toBe(0);
  expect(left('bucket')).not.toContain('chat-staging-avatars');
  expect((await run(['delete', 'chat-staging-main', '--yes'])).code).toBe(1);
  expect(left('sql-instance')).toEqual([TYPED.database]);
  expect((await run(['delete', 'chat-staging-main'], { input: lines(TYPED.database) })).code).toBe(0);
  expect(left('sql-instance')).toEqual([]);
  const unknown = await run(['delete', 'chat-staging-mian', '--yes']);
  expect(unknown.code).toBe(1);
  expect(unknown.stderr).toContain('resource-unknown');
});

test('what is not ours is only deleted when its name is typed', async () => {
  expect((await run(['delete', 'theirs', '--yes'])).code).toBe(1);
  expect(left('bucket')).toContain('theirs');
});
