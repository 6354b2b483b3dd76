import { expect, test } from 'vitest';
import { apisToDisable } from '../../../src/domain/cloud/cleanup/afterwards.ts';
import { planCleanup } from '../../../src/domain/cloud/cleanup/cleanup-plan.ts';
import {
  confirmItem,
  confirmSelection,
  leftWithout,
  mayCleanUp,
  readMenu,
} from '../../../src/domain/cloud/cleanup/confirm.ts';
import { ageInWords, sizeInWords } from '../../../src/domain/cloud/cleanup/describe.ts';
import { type Kind, type Observed, ownLabels } from '../../../src/domain/cloud/resource.ts';

const now = Date.UTC(2026, 5, 1);
const day = 86_400_000;
const scope = { project: 'clone', environment: 'production', cloudProject: 'clone-1' };

const seen = (kind: Kind, name: string, more: object = {}): Observed =>
  ({
    kind,
    name,
    location: null,
    labels: ownLabels(scope),
    state: 'ready',
    createdAt: now - 3 * day,
    attributes: {},
    ...more,
  }) as unknown as Observed;

const api = seen('service', 'api', {
  attributes: { account: 'clone', sql: 'clone-1:europe-west1:clone-db', image: null },
});
const all: Observed[] = [
  seen('sql-instance', 'clone-db', { attributes: { storageGb: 20 } }),
  seen('sql-database', 'clone-db/clone', { attributes: { instance: 'clone-db' }, labels: {} }),
  seen('sql-user', 'clone-db/app', { attributes: { instance: 'clone-db' }, labels: {} }),
  seen('bucket', 'clone-avatars', { size: { bytes: 13 * 2 ** 30, objects: 1204 } }),
  seen('bucket', 'clone-empty', { size: { bytes: 0, objects: 0 } }),
  seen('account', 'clone'),
  seen('role', 'clone/roles/run.invoker', { attributes: { account: 'clone', role: 'roles/run.invoker' }, labels: {} }),
  seen('role', 'bob/roles/owner', { attributes: { account: 'bob', role: 'roles/owner' }, labels: {} }),
  seen('account', '123-compute', { labels: {} }),
  seen('cluster', 'old-gke', { attributes: { nodes: 3 }, labels: {} }),
  seen('service', 'blog', { attributes: { account: 'bob', sql: null }, labels: {} }),
  seen('service', 'api-of-staging', { labels: ownLabels({ ...scope, environment: 'staging' }) }),
  seen('api', 'run.googleapis.com', { labels: {} }),
  api,
];

test('what goes is in the order of deletion, with size and age', () => {
  const { items } = planCleanup(all, scope, { all: false, now });
  expect(items.map(({ address, description }) => [address, description])).toEqual([
    ['service/api', 'service, 3 days old'],
    ['bucket/clone-avatars', 'bucket, 13 GiB in 1,204 objects, 3 days old'],
    ['bucket/clone-empty', 'bucket, empty, 3 days old'],
    ['role/clone/roles/run.invoker', 'role, 3 days old'],
    ['account/clone', 'service account, 3 days old'],
    ['sql-instance/clone-db', 'database server, 20 GB of storage, 3 days old'],
  ]);
  expect(items.at(-1)?.takes).toEqual(['sql-database/clone-db/clone', 'sql-user/clone-db/app']);
});

test('the rest is shown apart, each with why, and whether --all would delete it', () => {
  const { apart } = planCleanup(all, scope, { all: false, now });
  expect(apart.map(({ address, reason, withAll }) => [address, reason, withAll])).toEqual([
    ['cluster/old-gke', 'evenkeel did not make it', true],
    ['service/api-of-staging', 'evenkeel made it for clone, staging', true],
    ['service/blog', 'evenkeel did not make it', true],
    ['role/bob/roles/owner', 'a right of somebody else', false],
    ['account/123-compute', 'an account that Google made for the project', false],
  ]);
});

test('a production is no part of the rest of another environment', () => {
  const { items, apart } = planCleanup(all, { ...scope, environment: 'staging' }, { all: true, now });
  expect(items.map(({ address }) => address)).toEqual(['cluster/old-gke', 'service/api-of-staging', 'service/blog']);
  expect(apart.find(({ address }) => address === 'sql-instance/clone-db')?.reason).toBe(
    'evenkeel made it for clone, production: cleaned up with --env production only',
  );
});

test('what is asked says what is at stake', () => {
  const { items } = planCleanup(all, scope, { all: false, now });
  expect(confirmSelection('all', items)).toEqual({
    ask: 'phrase',
    phrase: 'DELETE ALL',
    question: '6 resources will be deleted for good. Type DELETE ALL to go on',
  });
  const bucket = items.find(({ address }) => address === 'bucket/clone-avatars');
  expect(bucket === undefined ? [] : confirmItem('one-by-one', bucket)).toEqual([
    { ask: 'yes-or-no', question: 'Delete bucket/clone-avatars (bucket, 13 GiB in 1,204 objects, 3 days old)?' },
    {
      ask: 'phrase',
      phrase: 'clone-avatars',
      question:
        'bucket/clone-avatars is a bucket that is not empty (bucket, 13 GiB in 1,204 objects, 3 days old). Type its name, clone-avatars, to delete it too',
    },
  ]);
});

test('production is what is called so, wants approval, or has a protected database; nothing of it goes unnamed', () => {
  const plain = { name: 'live', approvals: 0, protectedDatabase: false };
  expect(mayCleanUp(plain, null)).toEqual({ allowed: true });
  expect(mayCleanUp({ ...plain, name: 'production' }, null)).toEqual({
    allowed: false,
    reason: 'production is production by its name: nothing of it is deleted unless it is named',
    next: 'the same with --env production',
  });
  for (const sign of [{ approvals: 1 }, { protectedDatabase: true }]) {
    expect(mayCleanUp({ ...plain, ...sign }, null)).toMatchObject({ allowed: false, next: 'the same with --env live' });
    expect(mayCleanUp({ ...plain, ...sign }, 'live')).toEqual({ allowed: true });
  }
});

test('another environment with a protected database stays, whatever it is called', () => {
  const labels = { 'evenkeel-project': 'clone', 'evenkeel-environment': 'live' };
  const others = (deletionProtection: boolean) => {
    const database = seen('sql-instance', 'clone-live', { labels });
    const attributes = { ...database.attributes, deletionProtection } as never;
    const there = [{ ...database, attributes } as Observed, seen('bucket', 'clone-live-media', { labels })];
    return planCleanup(there, scope, { all: true, now }).items.map(({ address }) => address);
  };
  expect(others(true)).toEqual([]);
  expect(others(false)).toEqual(['bucket/clone-live-media', 'sql-instance/clone-live']);
});

test('a menu takes numbers, ranges, kinds and names, and does nothing about what it does not understand', () => {
  const { items } = planCleanup(all, scope, { all: false, now });
  expect(readMenu('1, 5-6', items).picked).toEqual(['service/api', 'account/clone', 'sql-instance/clone-db']);
  expect(readMenu('buckets', items).picked).toEqual(['bucket/clone-avatars', 'bucket/clone-empty']);
  expect(readMenu('service-accounts service/api', items).picked).toEqual(['service/api', 'account/clone']);
  expect(readMenu('9', items)).toEqual({ picked: [], problems: ['9 is none of 1 to 6, a kind, or a name'] });
  expect(readMenu('6-5', items).problems).toHaveLength(1);
});

test('a choice that would break what stays says so', () => {
  const { items } = planCleanup(all, scope, { all: false, now });
  expect(leftWithout(new Set(['account/clone', 'sql-instance/clone-db'] as const), items)).toEqual([
    'service/api stays, but runs as account/clone, which goes',
    'service/api stays, but uses sql-instance/clone-db, which goes',
  ]);
});

test('an API is only switched off when nothing that was seen, or could not be seen, needs it', () => {
  const needed = ['run.googleapis.com', 'sqladmin.googleapis.com', 'iam.googleapis.com', 'vpcaccess.googleapis.com'];
  const enabled = needed.map((name) => seen('api', name));
  const left = [...enabled, seen('sql-instance', 'other')];
  expect(apisToDisable(needed, left, ['connector'])).toEqual([
    { api: 'run.googleapis.com', disable: true, reason: 'nothing that was seen needs it' },
    { api: 'sqladmin.googleapis.com', disable: false, reason: 'sql-instance/other still there' },
    { api: 'iam.googleapis.com', disable: false, reason: 'not all that uses it is looked at here' },
    { api: 'vpcaccess.googleapis.com', disable: false, reason: 'whether a connector is still there is not known' },
  ]);
});

test('ages and sizes are words', () => {
  const ages = [10_000, 90 * 60_000, 30 * 3_600_000, 45 * day, 400 * day, 800 * day].map((age) =>
    ageInWords(now - age, now),
  );
  expect(ages).toEqual(['just made', '90 minutes old', '30 hours old', '45 days old', '13 months old', '2 years old']);
  expect(sizeInWords(seen('bucket', 'b'))).toBe('size not known');
  expect(sizeInWords(seen('bucket', 'b', { size: { bytes: null, objects: 1 } }))).toBe('1 object');
  expect(sizeInWords(seen('secret', 's'))).toBeNull();
});

test('a connector, which bears no labels, is known by the name that evenkeel gives it', () => {
  const connectors = [
    seen('connector', 'clone-production-net', { labels: {} }),
    seen('connector', 'other', { labels: {} }),
  ];
  const { items, apart } = planCleanup(connectors, scope, { all: false, now });
  expect(items.map(({ address }) => address)).toEqual(['connector/clone-production-net']);
  expect(apart.map(({ address }) => address)).toEqual(['connector/other']);
});
