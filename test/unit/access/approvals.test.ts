import { expect, test } from 'vitest';
import { approvalsFor } from '../../../src/engine/operations/approvals.ts';
import { aRollout } from '../../support/rollout/builders.ts';

test('no number of rollouts that were given up pushes out what people have let pass', async () => {
  const given = Array.from({ length: 450 }, (_, at) => ({ ...aRollout(), id: `r${at}`, promotedAt: null }));
  const all = [...given, { ...aRollout(), id: 'r450', promotedAt: 1, approvalRule: 2 }];
  const store = {
    rollouts: async ({ limit = 0, before }: { limit?: number; before?: string }) => {
      const from = before === undefined ? 0 : all.findIndex(({ id }) => id === before) + 1;
      return all.slice(from, from + limit);
    },
  } as unknown as Parameters<typeof approvalsFor>[0]['store'];
  expect(await approvalsFor({ store }, { project: 'shop', environment: 'production' }, 0)).toMatchObject({ needed: 2 });
});
