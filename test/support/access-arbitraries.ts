import * as fc from 'fast-check';
import type { Grant, Person, Standing, TokenHolder, TokenScope } from '../../src/domain/access/identity.ts';
import { SERVER, type Target } from '../../src/domain/access/may.ts';
import { PERMISSIONS } from '../../src/domain/access/permissions.ts';
import { BUILT_IN_ROLES } from '../../src/domain/access/roles.ts';

/** People, tokens and what they may want, as they could be. */

export const ORGANIZATIONS = ['north', 'south', 'west'];
export const pattern = fc.constantFrom(
  '*',
  'chat',
  'shop',
  'ch*',
  '*at',
  'staging',
  'production',
  'st*',
  '*-eu',
  'staging-eu',
);
export const permission = fc.constantFrom(...PERMISSIONS);
export const someRoles = fc.uniqueArray(
  fc.record({ name: fc.constantFrom('release', 'hr', 'watch'), permissions: fc.uniqueArray(permission) }),
  { selector: ({ name }) => name },
);
export const grant: fc.Arbitrary<Grant> = fc.record({
  role: fc.constantFrom(...BUILT_IN_ROLES.map(({ name }) => name), 'release', 'hr', 'watch', 'gone'),
  project: pattern,
  environment: pattern,
});
export const memberships = fc.uniqueArray(
  fc.record({
    organization: fc.constantFrom(...ORGANIZATIONS),
    grants: fc.array(grant, { maxLength: 4 }),
    roles: someRoles,
  }),
  { selector: ({ organization }) => organization },
);
export const standing: fc.Arbitrary<Standing> = fc.record({
  id: fc.constantFrom('u1', 'u2'),
  login: fc.constant('ann'),
  runsServer: fc.boolean(),
  memberships,
});
export const target: fc.Arbitrary<Target> = fc.oneof(
  fc.constant(SERVER),
  fc.record({ on: fc.constant('organization' as const), organization: fc.constantFrom(...ORGANIZATIONS) }),
  fc.record({
    on: fc.constant('environment' as const),
    organization: fc.option(fc.constantFrom(...ORGANIZATIONS)),
    project: fc.constantFrom('chat', 'shop', 'chat-eu'),
    environment: fc.constantFrom('staging', 'production', 'staging-eu'),
  }),
);
export const scope: fc.Arbitrary<TokenScope> = fc.record({
  organization: fc.option(fc.constantFrom(...ORGANIZATIONS)),
  permissions: fc.option(fc.uniqueArray(permission)),
  project: pattern,
  environment: pattern,
});
export const token = (owner: Person, by: TokenScope): TokenHolder => ({
  kind: 'token',
  id: 't',
  name: 'ci',
  owner,
  scope: by,
});
