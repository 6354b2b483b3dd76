import { isDeepStrictEqual } from 'node:util';
import { expect, test } from 'vitest';
import { addressOf, type Desired, type Observed } from '../../../src/domain/cloud/resource.ts';
import type { Change } from '../../../src/domain/cloud/plan.ts';
import { apply } from '../../../src/engine/cloud/apply.ts';
import { removeAll, setRunning } from '../../../src/engine/cloud/cleanup.ts';
import { fakeCloud, type FakeCloud } from '../../support/cloud/fake-cloud.ts';
import { bucketSample, samples } from '../../support/cloud/samples.ts';

const never = new AbortController().signal;
const quiet = { elapsed: () => 0, onEvent: () => {}, signal: never };

/** What differs between the samples and what is there. */
function changes(cloud: FakeCloud, all: readonly Desired[] = samples()): Change[] {
  return all.flatMap((desired): Change[] => {
    const observed = cloud.there.get(addressOf(desired));
    if (observed === undefined) return [{ action: 'create', desired, observed: null }];
    return isDeepStrictEqual(observed.attributes, desired.attributes) ? [] : [{ action: 'update', desired, observed }];
  });
}

const state = (cloud: FakeCloud): unknown => [
  [...cloud.there].toSorted(([a], [b]) => (a < b ? -1 : 1)),
  Object.fromEntries(cloud.secretValues),
];

test('makes everything in the order of what needs what, and then has nothing to do', async () => {
  const cloud = fakeCloud();
  const { done, failed } = await apply(cloud, changes(cloud), quiet);
  expect(failed).toEqual([]);
  expect(done).toHaveLength(samples().length);
  expect(changes(cloud)).toEqual([]);
  expect(cloud.mostAtOnce()).toBeGreaterThan(3);
});

test('set-up interrupted at any call and run again ends in the same state', async () => {
  const whole = fakeCloud();
  await apply(whole, changes(whole), quiet);
  for (const when of ['before', 'after'] as const) {
    for (let stopAt = 1; stopAt <= samples().length; stopAt++) {
      const cloud = fakeCloud();
      const stop = new AbortController();
      cloud.onChange = (_call, nth, at) => {
        if (nth === stopAt && at === when) stop.abort();
      };
      const first = await apply(cloud, changes(cloud), { ...quiet, signal: stop.signal });
      expect(first.failed).toEqual([]);
      cloud.onChange = null;
      await apply(cloud, changes(cloud), quiet);
      expect(state(cloud), `interrupted ${when} call ${stopAt}`).toEqual(state(whole));
    }
  }
});

test('set-up that fails at any call and is run again ends in the same state', async () => {
  const whole = fakeCloud();
  await apply(whole, changes(whole), quiet);
  for (let failAt = 1; failAt <= samples().length; failAt++) {
    const cloud = fakeCloud();
    cloud.onChange = (_call, nth, at) => {
      // Done, and the answer was lost: the hardest one to go on from.
      if (nth === failAt && at === 'after') throw new Error('the connection was cut');
    };
    const { failed } = await apply(cloud, changes(cloud), quiet);
    expect(failed).toHaveLength(1);
    cloud.onChange = null;
    await apply(cloud, changes(cloud), quiet);
    expect(state(cloud), `failed at call ${failAt}`).toEqual(state(whole));
  }
});

test('two set-ups at once do no harm', async () => {
  const whole = fakeCloud();
  await apply(whole, changes(whole), quiet);
  const cloud = fakeCloud();
  const outcomes = await Promise.all([apply(cloud, changes(cloud), quiet), apply(cloud, changes(cloud), quiet)]);
  expect(outcomes.flatMap(({ failed }) => failed)).toEqual([]);
  expect(state(cloud)).toEqual(state(whole));
});

test('replacing takes the old one away first', async () => {
  const cloud = fakeCloud();
  const observed = await cloud.create(bucketSample(), () => {}, never);
  await apply(cloud, [{ action: 'replace', desired: bucketSample(), observed }], quiet);
  expect(cloud.calls.slice(1)).toEqual(['remove bucket/chat-staging-media', 'create bucket/chat-staging-media']);
});

test('a clean-up removes users before what they use, parts with their whole, and APIs last', async () => {
  const cloud = fakeCloud();
  await apply(cloud, changes(cloud), quiet);
  const all: Observed[] = [...cloud.there.values()];
  const { failed } = await removeAll(cloud, all, quiet);
  expect(failed).toEqual([]);
  expect([...cloud.there.keys()]).toEqual([]);
  const removed = cloud.calls.filter((call) => call.startsWith('remove'));
  expect(removed).not.toContain('remove sql-database/chat-staging-main/app');
  const apis = removed.filter((call) => call.startsWith('remove api/'));
  expect(apis).toHaveLength(4);
  expect(removed.slice(-4)).toEqual(apis);
  expect(removed.indexOf('remove role/chat-staging/roles/run.invoker')).toBeLessThan(
    removed.indexOf('remove account/chat-staging'),
  );
});

test('property 33: a clean-up goes on past what cannot be removed, and keeps what that still uses', async () => {
  const cloud = fakeCloud();
  await apply(cloud, changes(cloud), quiet);
  cloud.broken.add('role/chat-staging/roles/run.invoker');
  const { failed, skipped, done } = await removeAll(cloud, [...cloud.there.values()], quiet);
  expect(failed.map(({ address }) => address)).toEqual(['role/chat-staging/roles/run.invoker']);
  expect(skipped.map(({ address }) => address)).toContain('account/chat-staging');
  expect(done.map(({ address }) => address)).toContain('sql-instance/chat-staging-main');
});

test('what rests is stopped and woken', async () => {
  const cloud = fakeCloud();
  await apply(cloud, changes(cloud), quiet);
  const instance = (): Observed[] => [...cloud.there.values()].filter(({ kind }) => kind === 'sql-instance');
  await setRunning(cloud, instance(), false, quiet);
  expect(instance().map(({ state }) => state)).toEqual(['stopped']);
  await setRunning(cloud, instance(), true, quiet);
  expect(instance().map(({ state }) => state)).toEqual(['ready']);
});
