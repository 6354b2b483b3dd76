import { afterEach, describe, expect, test } from 'vitest';
import { emulated, endEmulators } from '../emulator/emulated.ts';
import { CONFIG, desiredFor, driverAt, setUp } from '../support/google.ts';

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
    // One for each kind, one for each secret's value, for who may read a public bucket, and for who pays.
    expect(http.calls() - before).toBeLessThanOrEqual(15);
  });
});
