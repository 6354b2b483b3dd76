import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mayGrant, narrowed } from '../../src/domain/access/granting.ts';
import { personOf } from '../../src/domain/access/identity.ts';
import { may, organizationsOf } from '../../src/domain/access/may.ts';
import { covers, matches } from '../../src/domain/access/patterns.ts';
import { PERMISSIONS } from '../../src/domain/access/permissions.ts';
import { findRole } from '../../src/domain/access/roles.ts';
import { ORGANIZATIONS, grant, permission, scope, standing, target, token } from '../support/access-arbitraries.ts';

describe('who is of another organization', () => {
  test('may nothing, whatever their roles at home and of the server are', () => {
    fc.assert(
      fc.property(standing, permission, target, (who, asked, where) => {
        fc.pre(where.on !== 'server');
        const foreign = {
          ...who,
          memberships: who.memberships.filter((each) => each.organization !== where.organization),
        };
        expect(may(personOf(foreign), asked, where).allowed).toBe(false);
        const bearer = {
          ...personOf(foreign),
          kind: 'bearer' as const,
          issuer: 'i',
          subject: 's',
          user: { id: who.id, login: who.login },
        };
        expect(may(bearer, asked, where).allowed).toBe(false);
      }),
    );
  });

  test('gains nothing in one organization by what they are in others', () => {
    fc.assert(
      fc.property(standing, permission, target, (who, asked, where) => {
        fc.pre(where.on !== 'server');
        const only = {
          ...who,
          memberships: who.memberships.filter((each) => each.organization === where.organization),
        };
        expect(may(personOf(who), asked, where).allowed).toBe(may(personOf(only), asked, where).allowed);
      }),
      { numRuns: 1_000 },
    );
  });

  test('sees no organization that they could do nothing in by not being a member', () => {
    fc.assert(
      fc.property(standing, scope, permission, target, (who, by, asked, where) => {
        fc.pre(where.on !== 'server');
        for (const identity of [personOf(who), token(personOf(who), by)])
          if (may(identity, asked, where).allowed) expect(organizationsOf(identity)).toContain(where.organization);
      }),
    );
  });
});

describe('a token', () => {
  test('never may more than its owner', () => {
    fc.assert(
      fc.property(standing, scope, permission, target, (who, by, asked, where) => {
        if (may(token(personOf(who), by), asked, where).allowed)
          expect(may(personOf(who), asked, where).allowed).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test('for one organization may nothing elsewhere, and for some permissions, projects and environments only those', () => {
    const admin = ORGANIZATIONS.map((organization) => ({
      organization,
      grants: [{ role: 'admin', project: '*', environment: '*' }],
      roles: [],
    }));
    const owner = personOf({ id: 'u', login: 'ann', runsServer: true, memberships: admin });
    fc.assert(
      fc.property(scope, permission, target, (by, asked, where) => {
        const wide = by.project === '*' && by.environment === '*';
        const expected =
          may(owner, asked, where).allowed &&
          (by.permissions === null || by.permissions.includes(asked)) &&
          (by.organization === null || (where.on !== 'server' && by.organization === where.organization)) &&
          (where.on === 'environment'
            ? matches(by.project, where.project) && matches(by.environment, where.environment)
            : wide);
        expect(may(token(owner, by), asked, where).allowed).toBe(expected);
      }),
      { numRuns: 1_000 },
    );
  });

  test('made with another token never may more than that one', () => {
    fc.assert(
      fc.property(standing, scope, scope, permission, target, (who, by, wanted, asked, where) => {
        const made = narrowed(by, wanted);
        fc.pre(made !== null);
        if (may(token(personOf(who), made), asked, where).allowed)
          expect(may(token(personOf(who), by), asked, where).allowed).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});

describe('grants', () => {
  test('taken away never give anything', () => {
    fc.assert(
      fc.property(standing, fc.nat(), fc.nat(), permission, target, (who, m, g, asked, where) => {
        const less = {
          ...who,
          memberships: who.memberships.map((each, i) =>
            i === m % who.memberships.length
              ? { ...each, grants: each.grants.toSpliced(g % (each.grants.length + 1), 1) }
              : each,
          ),
        };
        if (may(personOf(less), asked, where).allowed) expect(may(personOf(who), asked, where).allowed).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test('given by somebody never make another one mightier than the giver', () => {
    const powerful = standing.map((who) => ({
      ...who,
      memberships: who.memberships.map((each) => ({
        ...each,
        grants: [...each.grants, { role: 'hr', project: '*', environment: '*' }],
      })),
    }));
    fc.assert(
      fc.property(
        powerful,
        scope,
        fc.boolean(),
        grant,
        fc.constantFrom(...ORGANIZATIONS),
        permission,
        target,
        (who, by, byToken, given, at, asked, where) => {
          const giver = byToken ? token(personOf(who), by) : personOf(who);
          const roles = who.memberships.find((each) => each.organization === at)?.roles ?? [];
          const permissions = findRole(given.role, roles)?.permissions ?? [];
          fc.pre(mayGrant(giver, at, { ...given, permissions }).allowed);
          const other = personOf({
            id: 'o',
            login: 'bob',
            runsServer: false,
            memberships: [{ organization: at, grants: [given], roles }],
          });
          if (may(other, asked, where).allowed) expect(may(giver, asked, where).allowed).toBe(true);
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('permissions', () => {
  const local = { kind: 'local', name: 'operator' } as const;
  const text = fc.oneof(
    fc.string(),
    fc.constantFrom('constructor', '__proto__', 'environment', 'environment:read ', 'toString', '*'),
  );

  test('that do not exist are denied, to everybody', () => {
    fc.assert(
      fc.property(text, standing, target, (asked, who, where) => {
        fc.pre(!(PERMISSIONS as readonly string[]).includes(asked));
        expect(may(personOf(who), asked, where).allowed).toBe(false);
        expect(may(local, asked, where).allowed).toBe(false);
      }),
    );
  });

  test('always come with a reason, and the local token has all of them', () => {
    fc.assert(
      fc.property(standing, permission, target, (who, asked, where) => {
        expect(may(personOf(who), asked, where).reason).not.toBe('');
        expect(may(local, asked, where).allowed).toBe(true);
      }),
    );
  });
});

describe('patterns', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '-', '*'), maxLength: 8 });
  const name = fc.string({ unit: fc.constantFrom('a', 'b', '-'), maxLength: 10 });

  test('match what a regular expression would', () => {
    fc.assert(
      fc.property(text, name, (asked, candidate) => {
        const expression = new RegExp(`^${asked.split('*').join('.*')}$`, 's');
        expect(matches(asked, candidate)).toBe(expression.test(candidate));
      }),
      { numRuns: 2_000 },
    );
  });

  test('cover only what holds less', () => {
    fc.assert(
      fc.property(text, text, name, (outer, inner, candidate) => {
        if (covers(outer, inner) && matches(inner, candidate)) expect(matches(outer, candidate)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });
});
