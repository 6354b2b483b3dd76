import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OWN_ACCOUNT, type RunsAs, sharing } from '../../../src/domain/access/shared-accounts.ts';

const as = (account: string, service = account): RunsAs => ({ service, account });

describe('services of several organizations', () => {
  test('are apart when no two of them are one account, and none is evenkeel', () => {
    expect(sharing([as('a'), as('b')], [as('c')])).toBeNull();
    expect(sharing([as('a'), as('a', 'again')], [as('c')])).toBeNull();
  });

  test('are not when one would be evenkeel itself, an account of others, or beside one that is evenkeel', () => {
    expect(sharing([as('a'), as(OWN_ACCOUNT, 'mine')], [])).toEqual({ kind: 'own', service: 'mine' });
    expect(sharing([as('a'), as('www', 'mine')], [as('www', 'theirs')])).toEqual({
      kind: 'shared',
      service: 'mine',
      account: 'www',
    });
    expect(sharing([as('a')], [as('b'), as(OWN_ACCOUNT, 'theirs')])).toEqual({ kind: 'theirs', service: 'theirs' });
    // Files alone are something to read, too.
    expect(sharing([], [as(OWN_ACCOUNT)])).toMatchObject({ kind: 'theirs' });
    expect(sharing([as(OWN_ACCOUNT)], [])).toMatchObject({ kind: 'own' });
  });

  test('matter only where somebody else has something', () => {
    expect(sharing([as(OWN_ACCOUNT)], null)).toBeNull();
  });

  test('are found to share whoever is asked first', () => {
    const some = fc.array(fc.constantFrom('a', 'b', 'c', OWN_ACCOUNT).map((account) => as(account)));
    fc.assert(
      fc.property(some, some, (mine, others) => {
        expect(sharing(mine, others) === null).toBe(sharing(others, mine) === null);
      }),
    );
  });
});
