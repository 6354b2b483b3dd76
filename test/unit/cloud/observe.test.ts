import { expect, test } from 'vitest';
import type { Kind } from '../../../src/domain/cloud/resource.ts';
import { observe } from '../../../src/engine/cloud/observe.ts';
import { fakeCloud } from '../../support/cloud/fake-cloud.ts';
import { bucketSample } from '../../support/cloud/samples.ts';

const signal = new AbortController().signal;

test('property 29: one kind that hangs is unknown, and holds the others up no longer than the deadline', async () => {
  const cloud = fakeCloud();
  await cloud.create(bucketSample(), () => {}, signal);
  cloud.hanging.add('sql-instance');
  const seen: Kind[] = [];
  const { observed, unknown } = await observe(cloud, ['bucket', 'secret', 'sql-instance'], {
    deadlineMs: 50,
    signal,
    onLook: ({ kind }) => seen.push(kind),
  });
  expect(observed.map(({ name }) => name)).toEqual(['chat-staging-media']);
  expect(unknown.map(({ kind }) => kind)).toEqual(['sql-instance']);
  expect(seen.at(-1)).toBe('sql-instance');
});

test('property 29: a provider that never answers anything is left within the deadline', async () => {
  const cloud = fakeCloud();
  cloud.look = async function* () {
    yield await new Promise<never>(() => {});
  };
  const { unknown } = await observe(cloud, ['bucket', 'service'], { deadlineMs: 20, signal });
  expect(unknown.map(({ kind, problem }) => `${kind} ${problem.code}`)).toEqual([
    'bucket cloud-no-answer',
    'service cloud-no-answer',
  ]);
});

test('Ctrl-C ends a look at once', async () => {
  const cloud = fakeCloud();
  cloud.hanging.add('bucket');
  const stop = new AbortController();
  const looking = observe(cloud, ['bucket'], { deadlineMs: 60_000, signal: stop.signal });
  stop.abort();
  await expect(looking).rejects.toThrow();
});
