import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mayHelp } from '../../src/domain/access/granting.ts';
import { type Identity, type Person, personOf, type Standing, WHOLE_SCOPE } from '../../src/domain/access/identity.ts';
import { mayDoEverything } from '../../src/domain/access/in-charge.ts';
import { may, organizationsOf, type Target } from '../../src/domain/access/may.ts';
import { levelOf, type Permission, PERMISSIONS } from '../../src/domain/access/permissions.ts';
import { mayRevoke, scopeOfNew } from '../../src/domain/access/tokens.ts';
import { ORGANIZATIONS, permission, scope, standing, target, token } from '../support/access-arbitraries.ts';

/** Some of them have everything somewhere: of those who have a little of this and that, hardly anybody may anything here. */
const strong: fc.Arbitrary<Standing> = fc.tuple(standing, fc.subarray(ORGANIZATIONS)).map(([of, all]) => ({
  ...of,
  memberships: of.memberships.map((each) =>
    all.includes(each.organization) ? { ...each, grants: [...each.grants, EVERYWHERE] } : each,
  ),
}));
const EVERYWHERE = { role: 'admin', project: '*', environment: '*' };

const someone: fc.Arbitrary<Exclude<Identity, { kind: 'local' | 'anonymous' }>> = fc
  .tuple(strong, scope, fc.constantFrom('user', 'token', 'bearer'))
  .map(([of, by, kind]) => {
    const person = { ...personOf(of), id: 'me' };
    if (kind === 'user') return person;
    if (kind === 'token') return token(person, by);
    const { memberships, name } = person;
    return { kind: 'bearer', issuer: 'i', subject: 's', name, memberships, user: { id: 'me', login: 'me' } };
  });
const other: fc.Arbitrary<Person> = strong.map((of) => ({ ...personOf(of), id: 'them' }));

/** What `who` may not there, although `whose` may. */
const reaches = (who: Identity, whose: Identity, asked: Permission, where: Target): boolean =>
  !may(whose, asked, where).allowed || may(who, asked, where).allowed;

describe('a way in for somebody else', () => {
  test('is given only by whoever may all that they may, wherever it is', () => {
    fc.assert(
      fc.property(someone, other, permission, target, (who, whom, asked, where) => {
        if (!mayHelp(who, whom).allowed) return;
        expect(reaches(who, whom, asked, where)).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });

  test('is never one’s own, and tells nothing of organizations that one is not in', () => {
    fc.assert(
      fc.property(someone, other, (who, whom) => {
        expect(mayHelp(who, { ...whom, id: 'me' }).allowed).toBe(false);
        const { allowed, reason } = mayHelp(who, whom);
        if (allowed) return;
        const known = organizationsOf(who) ?? [];
        for (const { organization } of whom.memberships)
          if (!known.includes(organization)) expect(reason).not.toContain(organization);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('a token that somebody makes', () => {
  test('reaches nothing that whoever makes it does not', () => {
    const wide = fc.option(fc.constantFrom(...ORGANIZATIONS)).chain((organization) =>
      fc.option(fc.subarray([...PERMISSIONS], { minLength: 1, maxLength: 3 })).map((permissions) => ({
        ...WHOLE_SCOPE,
        organization,
        permissions,
      })),
    );
    fc.assert(
      fc.property(someone, strong, fc.oneof(scope, wide), target, (who, of, wanted, where) => {
        // Made for oneself: a bearer's user may have more here than the issuer says.
        const owner: Person =
          who.kind === 'token' ? who.owner : who.kind === 'user' ? who : { ...personOf(of), id: 'me' };
        const made = scopeOfNew(who, owner, wanted);
        if (!('scope' in made)) return;
        for (const asked of PERMISSIONS) expect(reaches(who, token(owner, made.scope), asked, where)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('ending a token of somebody else', () => {
  test('takes the right to it wherever the token could do something', () => {
    const of = fc.subarray(['north', 'south', 'west']);
    fc.assert(
      fc.property(someone, scope, of, (who, by, organizations) => {
        const facts = { id: 'theirs', user: 'them', madeBy: null, scope: by };
        if (!mayRevoke(who, facts, organizations).allowed) return;
        const concerned = by.organization === null ? organizations : [by.organization];
        expect(concerned).not.toEqual([]);
        for (const organization of concerned)
          expect(may(who, 'tokens:manage', { on: 'organization', organization }).allowed).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});

test('whoever is in charge of an organization may all that can be allowed there', () => {
  fc.assert(
    fc.property(other, target, (who, where) => {
      if (where.on === 'server' || where.organization === null) return;
      if (!mayDoEverything(who, where.organization)) return;
      const level = where.on === 'organization' ? 'organization' : 'environment';
      for (const each of PERMISSIONS.filter((one) => levelOf(one) === level))
        expect(may(who, each, where).allowed).toBe(true);
    }),
    { numRuns: 500 },
  );
});
