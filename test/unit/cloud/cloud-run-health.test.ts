import { expect, onTestFinished, test } from 'vitest';
import { HealthChecks, type HealthTarget } from '../../../src/drivers/cloud-run/health.ts';
import { waitFor } from '../../support/wait.ts';

/** Answers these in turn, then 200; `seen` is what was said of the instance before each. */
function asked(answers: number[], change: Partial<HealthTarget> = {}) {
  const heard: number[] = [];
  const seen: boolean[] = [];
  const target: HealthTarget = {
    id: 'one',
    url: 'https://r1---api.example',
    path: '/',
    group: 'shop/production/api',
    audience: null,
    intervalMs: 1,
    restMs: 1,
    timeoutMs: 1_000,
    answered: (status) => void heard.push(status),
    ...change,
  };
  const checks = new HealthChecks(async () => {
    // What the first look says is known only after it was begun.
    await Promise.resolve();
    seen.push(checks.of(target).healthy);
    return { status: answers.shift() ?? 200, body: '' };
  });
  onTestFinished(() => checks.close());
  return { heard, seen, look: () => checks.of(target) };
}

const over = (seen: boolean[], times: number): Promise<true> =>
  waitFor(async () => seen.length > times || null, { what: `${times} checks` }).then(() => true);

test('an instance is healthy after two successes in a row, not after two with a failure between', async () => {
  const { heard, seen, look } = asked([200, 500, 200, 500, 200, 200]);
  look();
  await over(seen, 6);
  expect(seen.slice(0, 7)).toEqual([false, false, false, false, false, false, true]);
  expect(heard.slice(0, 6)).toEqual([200, 500, 200, 500, 200, 200]);
});

test('one that is well stays so for a single failure, and no longer', async () => {
  const { seen, look } = asked([200, 200, 500, 200, 500, 500, 200]);
  look();
  await over(seen, 7);
  expect(seen.slice(0, 8)).toEqual([false, false, true, true, true, true, false, false]);
});

/** Answers as long as it is told to; counts who was asked. */
function world() {
  let away: string | boolean = false;
  let held: string | null = null;
  const asked = new Map<string, number>();
  const checks = new HealthChecks(async ({ url }) => {
    asked.set(url, (asked.get(url) ?? 0) + 1);
    await new Promise((resolve) => setTimeout(resolve, 2));
    while (held !== null && url.startsWith(held)) await new Promise((resolve) => setTimeout(resolve, 2));
    if (away === true || away === url) throw new Error('no route to host');
    return { status: 200, body: '' };
  });
  onTestFinished(() => checks.close());
  const target = (id: string, change: Partial<HealthTarget> = {}): HealthTarget => ({
    id,
    url: `https://${id}.example`,
    path: '/',
    group: 'shop/production/api',
    audience: null,
    answered: () => undefined,
    intervalMs: 5,
    restMs: 5,
    timeoutMs: 1_000,
    ...change,
  });
  return {
    checks,
    asked,
    target,
    go: (gone: string | boolean) => (away = gone),
    hold: (url: string | null) => (held = url),
  };
}

test('nothing is healthy before it has answered, and a controller that comes judges none before it knows of each', async () => {
  const { checks, target, hold } = world();
  const slow = target('slow');
  hold(slow.url);
  const look = () => [checks.of(target('quick')), checks.of(slow)].map(({ healthy }) => healthy);
  expect(look()).toEqual([false, false]);
  // It has answered long ago, and still is not the one of the two that is well.
  await waitFor(() => checks.of(target('quick')).consecutive > 3, { what: 'the quick one to have answered' });
  expect(look()).toEqual([false, false]);
  hold(null);
  await waitFor(() => look().every((each) => each), { what: 'both to be healthy' });
});

test('one that does not answer holds up the others for no longer than it takes to know it', async () => {
  const { checks, target, go } = world();
  go('https://gone.example/');
  const look = () => [checks.of(target('here')), checks.of(target('gone'))].map(({ healthy }) => healthy);
  await waitFor(() => look()[0], { what: 'the one that answers to be healthy' });
  expect(look()).toEqual([true, false]);
  // One that comes later is judged by itself.
  expect(checks.of(target('new')).healthy).toBe(false);
  expect(look()).toEqual([true, false]);
});

test('while nobody can be reached, one that is hardly asked is not taken for the one that is well', async () => {
  const { checks, target, asked, go } = world();
  const serving = target('serving');
  const resting = target('resting', { restMs: 3_600_000 });
  await waitFor(() => checks.of(serving).healthy && checks.of(resting).healthy, { what: 'both to be healthy' });
  const before = asked.get(`${resting.url}/`);
  go(true);
  let compared = 0;
  await waitFor(
    () => {
      const one = checks.of(serving).healthy;
      const other = checks.of(resting).healthy;
      // Never this: it would say that going back helps.
      expect([one, other]).not.toEqual([false, true]);
      compared += Number(!one);
      return compared > 5;
    },
    { what: 'the one that serves to be unhealthy' },
  );
  expect(asked.get(`${resting.url}/`)).toBeGreaterThan(before ?? 0);
  go(false);
  await waitFor(() => checks.of(serving).healthy && checks.of(resting).healthy, { what: 'both to be healthy again' });
});
