import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { planCleanup } from '../../../src/domain/cloud/cleanup/cleanup-plan.ts';
import { whySeenProduction } from '../../../src/domain/cloud/cleanup/production.ts';
import {
  confirmItem,
  confirmSelection,
  isConfirmed,
  mayCleanUp,
  readMenu,
} from '../../../src/domain/cloud/cleanup/confirm.ts';
import { addressOf, isOwn, type Observed } from '../../../src/domain/cloud/resource.ts';
import * as some from '../../support/cloud/arbitrary-cloud.ts';

const now = 1_700_000_000_000;
const scope = { project: 'shop', environment: 'staging', cloudProject: 'some-project' };
const seen = fc.oneof(
  some.observedResources(scope),
  some.observedResources({ project: 'shop', environment: 'production' }),
  fc
    .tuple(some.observedResources(scope), some.observedResources({ project: 'other', environment: 'prod' }))
    .map((both) => unique(both.flat())),
);
const unique = (all: Observed[]): Observed[] => [...new Map(all.map((each) => [addressOf(each), each])).values()];
const settings = ['api', 'audit-logs', 'log-retention'];

test('property 31: all that was seen is shown, GKE clusters too: it goes, stays, or goes with something', () => {
  fc.assert(
    fc.property(seen, fc.boolean(), (all, everything) => {
      const { items, apart } = planCleanup(all, scope, { all: everything, now });
      const shown = [
        ...items.flatMap(({ address, takes }) => [address, ...takes]),
        ...apart.map(({ address }) => address),
      ];
      const expected = all.filter(({ kind }) => !settings.includes(kind)).map(addressOf);
      expect(new Set(shown)).toEqual(new Set(expected));
      expect(shown.length).toBe(expected.length);
    }),
  );
});

test('property 32: by default only what evenkeel labelled for this environment goes', () => {
  fc.assert(
    fc.property(seen, (all) => {
      const { items, apart } = planCleanup(all, scope, { all: false, now });
      const gone = new Set(items.flatMap(({ address, takes }) => [address, ...takes]));
      for (const each of all) {
        const holder = all.find(
          (other) =>
            (each.kind === 'role' && addressOf(other) === `account/${each.attributes.account}`) ||
            ((each.kind === 'sql-database' || each.kind === 'sql-user') &&
              addressOf(other) === `sql-instance/${each.attributes.instance}`),
        );
        const own = isOwn(each.labels, scope) || (holder !== undefined && isOwn(holder.labels, scope));
        if (settings.includes(each.kind)) continue;
        expect(gone.has(addressOf(each)), addressOf(each)).toBe(own);
      }
      for (const { reason } of apart) expect(reason).not.toBe('');
    }),
  );
});

test('property 32: with --all the rest goes too, but never what is labelled for another production', () => {
  fc.assert(
    fc.property(seen, (all) => {
      const narrow = planCleanup(all, scope, { all: false, now });
      const wide = planCleanup(all, scope, { all: true, now });
      const gone = new Set(wide.items.flatMap(({ address, takes }) => [address, ...takes]));
      for (const { address, takes } of narrow.items) {
        for (const each of [address, ...takes]) expect(gone).toContain(each);
      }
      for (const { address, withAll } of narrow.apart) expect(gone.has(address), address).toBe(withAll);
      expect(wide.apart.every(({ withAll }) => !withAll)).toBe(true);
      for (const each of all) {
        if (!isOwn(each.labels, scope) && whySeenProduction(each.labels, all) !== null && gone.has(addressOf(each))) {
          // Only as a part of something of this environment.
          expect(['role', 'sql-database', 'sql-user']).toContain(each.kind);
        }
      }
    }),
  );
});

test('what uses goes before what is used', () => {
  fc.assert(
    fc.property(seen, (all) => {
      const { items } = planCleanup(all, scope, { all: true, now });
      const kinds = items.map(({ observed }) => observed.kind);
      for (const [first, then] of [
        ['service', 'sql-instance'],
        ['service', 'account'],
        ['service', 'connector'],
        ['role', 'account'],
      ] as const) {
        if (kinds.includes(first) && kinds.includes(then))
          expect(kinds.lastIndexOf(first)).toBeLessThan(kinds.indexOf(then));
      }
    }),
  );
});

test('databases, clusters and buckets that are not known to be empty need their name typed, whatever --yes says', () => {
  fc.assert(
    fc.property(
      seen,
      fc.constantFrom('all', 'one-by-one', 'menu'),
      fc.boolean(),
      fc.string(),
      (all, how, yes, typed) => {
        for (const item of planCleanup(all, scope, { all: true, now }).items) {
          const { kind, size } = item.observed;
          const holds =
            ['sql-instance', 'sql-database', 'cluster'].includes(kind) ||
            (kind === 'bucket' && !((size?.bytes ?? size?.objects) === 0 && (size?.objects ?? 0) === 0));
          const phrases = confirmItem(how, item).filter(({ ask }) => ask === 'phrase');
          expect(phrases.length === 1, item.description).toBe(holds);
          for (const phrase of phrases) {
            expect(isConfirmed(phrase, null, { yes })).toBe(false);
            expect(isConfirmed(phrase, typed, { yes })).toBe(typed.trim() === item.observed.name);
            expect(isConfirmed(phrase, item.observed.name, { yes })).toBe(true);
          }
        }
      },
    ),
    { numRuns: 60 },
  );
});

test('all at once goes by its phrase alone', () => {
  fc.assert(
    fc.property(seen, fc.string(), (all, typed) => {
      const asked = confirmSelection('all', planCleanup(all, scope, { all: true, now }).items);
      if (asked === null) return;
      expect(isConfirmed(asked, typed, { yes: true })).toBe(typed.trim() === 'DELETE ALL');
      expect(isConfirmed(asked, 'DELETE ALL', { yes: false })).toBe(true);
      expect(isConfirmed(asked, 'delete all', { yes: true })).toBe(false);
    }),
    { numRuns: 40 },
  );
});

test('production is refused unless it was named', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('production', 'prod', 'staging', 'qa'),
      fc.option(fc.constantFrom('production', 'prod', 'staging')),
      (environment, typed) => {
        const { allowed } = mayCleanUp({ name: environment, approvals: 0, protectedDatabase: false }, typed);
        expect(allowed).toBe(['staging', 'qa'].includes(environment) || typed === environment);
      },
    ),
  );
});

test('from a menu goes exactly what was named by number, kind or address', () => {
  fc.assert(
    fc.property(seen, fc.array(fc.nat(20), { maxLength: 5 }), (all, numbers) => {
      const { items } = planCleanup(all, scope, { all: true, now });
      const valid = numbers.filter((each) => each >= 1 && each <= items.length);
      const { picked, problems } = readMenu(numbers.join(', '), items);
      expect(new Set(picked)).toEqual(new Set(valid.map((each) => items[each - 1]?.address)));
      expect(problems.length).toBe(numbers.length - valid.length);
      expect(readMenu('all', items).picked).toEqual(items.map(({ address }) => address));
      expect(readMenu('none', items)).toEqual({ picked: [], problems: [] });
    }),
  );
});
