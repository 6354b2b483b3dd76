import { describe, expect, test } from 'vitest';
import type { Store } from '../../src/ports/store.ts';
import { waitFor } from '../support/wait.ts';
import { aDeployment, aRelease } from './store-fixtures.ts';

const LONG = 3_600_000;
const ann = { holder: 'ann', about: 'process 1' };
const ben = { holder: 'ben', about: 'process 2' };

/** The right to act: one has it at a time, and whoever had it before changes nothing. */
export function leaseSuite(the: () => Store): void {
  describe('lease', () => {
    const take = async (who: { holder: string; about: string }, ms = LONG, dead?: number): Promise<number | null> => {
      const taken = await the().takeLease({ ...who, ms, ...(dead === undefined ? {} : { dead }) });
      return taken.taken ? taken.fence : null;
    };

    test('is nobody’s at first, then of one, who says who it is', async () => {
      expect(await the().lease()).toBeNull();
      const fence = await take(ann);
      const lease = await the().lease();
      expect(lease).toMatchObject({ ...ann, fence });
      expect(lease?.leftMs).toBeGreaterThan(LONG / 2);
      expect(lease?.leftMs).toBeLessThanOrEqual(LONG);
    });

    test('is had by exactly one of many who want it at once', async () => {
      const all = await Promise.all(
        Array.from({ length: 8 }, (_, index) => take({ holder: `holder ${index}`, about: '' })),
      );
      expect(all.filter((fence) => fence !== null)).toHaveLength(1);
    });

    test('is refused while it holds, with who has it', async () => {
      await take(ann);
      expect(await the().takeLease({ ...ben, ms: LONG })).toMatchObject({ taken: false, lease: ann });
    });

    test('can be taken once it has run out, with a higher fence; its former holder renews it no more', async () => {
      const first = await take(ann, 1);
      const second = await waitFor(() => take(ben), { what: 'it to run out' });
      expect(second).toBeGreaterThan(first ?? Infinity);
      expect(await the().renewLease({ holder: 'ann', fence: first ?? 0, ms: LONG })).toBe(false);
      expect(await the().renewLease({ holder: 'ben', fence: second ?? 0, ms: LONG })).toBe(true);
      await the().giveUpLease({ holder: 'ann', fence: first ?? 0 });
      expect((await the().lease())?.leftMs).toBeGreaterThan(0);
    });

    test('that has run out is renewed as long as nobody has taken it', async () => {
      const fence = (await take(ann, 1)) ?? 0;
      await waitFor(async () => ((await the().lease())?.leftMs ?? 1) <= 0, { what: 'it to run out' });
      expect(await the().renewLease({ holder: 'ann', fence, ms: LONG })).toBe(true);
      expect(await take(ben)).toBeNull();
    });

    test('that is given up, or whose holder is dead, need not run out', async () => {
      const first = (await take(ann)) ?? 0;
      await the().giveUpLease({ holder: 'ann', fence: first });
      const second = (await take(ben)) ?? 0;
      expect(second).toBeGreaterThan(first);
      expect(await take(ann, LONG, first)).toBeNull(); // dead is who had it before
      expect(await take(ann, LONG, second)).toBeGreaterThan(second);
      // One that has it again has it by its new fence alone.
      expect(await the().renewLease({ holder: 'ann', fence: first, ms: LONG })).toBe(false);
    });

    test('that was lost takes the right to write with it, whatever is to be written', async () => {
      const store = the();
      const fence = (await take(ann, 1)) ?? 0;
      store.actAs(fence);
      await store.addReleases([aRelease('api', 1)]);
      await waitFor(() => take(ben), { what: 'it to run out' });
      const late = { code: 'store-fenced', retryable: true };
      await expect(store.addReleases([aRelease('api', 2)])).rejects.toMatchObject(late);
      await expect(store.setArtifact('chat', 'api@1', 'a'.repeat(64))).rejects.toMatchObject(late);
      await expect(store.ensureDeployments([aDeployment('api')])).rejects.toMatchObject(late);
      await expect(store.reserveReleaseNumbers('chat', ['api'])).rejects.toMatchObject(late);
      await expect(store.giveAddresses([])).rejects.toMatchObject(late);
      expect(await store.releases({ project: 'chat' })).toHaveLength(1);
    });
  });
}
