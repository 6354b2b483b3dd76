import { afterEach, describe, expect, test } from 'vitest';
import { emulated, endEmulators } from '../emulator/emulated.ts';
import { BILLING_ACCOUNT } from '../../src/emulator/apis/cloudbilling.ts';
import { CONFIG, desiredFor, driverAt, never, seen, setUp } from '../support/google.ts';

afterEach(endEmulators);

describe('a set-up without database', () => {
  test('makes everything, and finds it as declared: the second changes nothing', async () => {
    const emulator = await emulated();
    const { cloud, http } = await driverAt(emulator);
    const desired = desiredFor(CONFIG);
    const first = await setUp(cloud, desired);
    expect(first.length).toBeGreaterThan(20);
    const before = http.calls();
    expect(await setUp(cloud, desired)).toEqual([]);
    // One for each kind, one for each secret's value, and for who may read a public bucket.
    expect(http.calls() - before).toBeLessThanOrEqual(14);
  });

  test('who pays is asked once for all who want to know, and anew where it was nobody', async () => {
    const emulator = await emulated({ on: ['billingbudgets'] });
    const asked = (): number =>
      emulator.world.calls.list().filter(({ method }) => method === 'cloudbilling.projects.getBillingInfo').length;
    const link = (account: string): unknown =>
      emulator.world.state.table('cloudbilling.projects').set('demo-project', { account });
    link('');
    const { cloud } = await driverAt(emulator);
    expect((await cloud.greet(never())).billing).toBe(false);
    link(BILLING_ACCOUNT);
    expect((await Promise.all([cloud.greet(never()), seen(cloud, 'budget')]))[0].billing).toBe(true);
    expect(asked()).toBe(2);
    expect(await seen(cloud, 'budget')).toEqual([]);
    expect(asked()).toBe(2);
  });
});
