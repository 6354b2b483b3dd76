import { describe, expect, test } from 'vitest';
import type { Store } from '../../src/ports/store.ts';

const scope = { project: 'chat', environment: 'production', service: 'api' };
const change = (from: number | null, to: number, at = to) => ({ at, from, to, reason: `${to} are needed` });
const override = { min: 2, max: 6, by: 'ann', basis: '2..2' };

/** What every store promises of how many instances services have. */
export function scaleSuite(store: () => Store): void {
  const all = () => store().scales('chat', 'production');

  describe('scales', () => {
    test('change from what they were, by one of many, and by no old fence', async () => {
      const answers = await Promise.all([1, 2, 3].map(() => store().resize(scope, change(null, 2), 5)));
      expect(answers.filter(({ saved }) => saved)).toHaveLength(1);
      expect(await store().resize(scope, change(1, 3), 5)).toEqual({ saved: false, reason: 'contested' });
      expect(await store().resize(scope, change(2, 3), 4)).toEqual({ saved: false, reason: 'fence' });
      expect(await store().resize(scope, change(2, 3), 6)).toEqual({ saved: true });
      expect(await all()).toEqual([{ service: 'api', instances: 3, changedAt: 3, override: null }]);
      expect(await store().scales('chat', 'staging')).toEqual([]);
    });

    test('keep what somebody asked for, while they change, until it is taken back', async () => {
      await store().overrideScale(scope, override, change(null, 2));
      expect(await store().resize(scope, change(2, 4), 1)).toEqual({ saved: true });
      expect(await all()).toEqual([{ service: 'api', instances: 4, changedAt: 4, override }]);
      await store().overrideScale(scope, null, change(4, 3));
      expect(await all()).toEqual([{ service: 'api', instances: 3, changedAt: 3, override: null }]);
    });

    test('tell their story, newest first, also with a clock that was set back', async () => {
      await store().resize(scope, change(null, 2, 1_000), 1);
      await store().resize(scope, change(2, 3, 500), 1);
      await store().resize({ ...scope, service: 'web' }, change(null, 9), 1);
      const told = await store().scaleChanges(scope, 10);
      expect(told.map(({ from, to, reason }) => [from, to, reason])).toEqual([
        [2, 3, '3 are needed'],
        [null, 2, '2 are needed'],
      ]);
      expect(await store().scaleChanges(scope, 1)).toHaveLength(1);
    });
  });
}
