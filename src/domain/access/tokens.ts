import { lackedFor, narrowed } from './granting.ts';
import { type Identity, type Person, type TokenScope, userOf, WHOLE_SCOPE } from './identity.ts';
import { type Decision, may, SERVER } from './may.ts';
import { levelOf, type Permission } from './permissions.ts';

/** A token, as far as it matters for who may end it. */
export interface TokenFacts {
  readonly id: string;
  readonly user: string;
  readonly madeBy: string | null;
  readonly scope: TokenScope;
}

/**
 * The scope of a token that somebody makes for a user, or why they may not. A token may never more than its owner; it is
 * refused here where it would be of no use, or where it would reach further than whoever makes it.
 */
export function scopeOfNew(
  who: Identity,
  owner: Person,
  wanted: TokenScope,
): { readonly scope: TokenScope } | { readonly reason: string } {
  const scope = who.kind === 'token' ? narrowed(who.scope, wanted) : wanted;
  if (scope === null) return { reason: 'the token that you make it with does not reach as far' };
  if (scope.permissions?.length === 0) return { reason: 'nothing of it is allowed to the token that you make it with' };
  const { organization, permissions } = scope;
  if (organization !== null && !owner.memberships.some((each) => each.organization === organization))
    return { reason: 'its owner is no member of the organization' };
  const useless = permissions?.find((each) => !hasSomewhere(owner, organization, each));
  if (useless !== undefined) return { reason: `${useless} is nothing that its owner has there` };
  return who.kind === 'bearer' ? asBearer(who, scope) : { scope };
}

/** What its issuer says of somebody may be less than what the user of the same name has here. */
function asBearer(who: Identity & { kind: 'bearer' }, scope: TokenScope): { scope: TokenScope } | { reason: string } {
  const { organization, permissions } = scope;
  if (organization === null || permissions === null)
    return { reason: 'whoever asks with the token of an issuer names the organization and the permissions' };
  const lacked = lackedFor(who, organization, permissions, scope);
  return lacked === null
    ? { scope }
    : { reason: `${lacked} is nothing that you have there by the token of the issuer` };
}

function hasSomewhere(owner: Person, organization: string | null, permission: Permission): boolean {
  if (levelOf(permission) === 'server') return owner.runsServer && organization === null;
  return owner.memberships
    .filter((each) => organization === null || each.organization === organization)
    .some(({ grants }) => grants.some(({ permissions }) => permissions.includes(permission)));
}

/** Whether somebody may see a token among their own. One that is made for something shows only itself, and what it made. */
export function isOwn(who: Identity, token: TokenFacts): boolean {
  if (userOf(who) !== token.user) return false;
  return who.kind !== 'token' || isWhole(who.scope) || token.id === who.id || token.madeBy === who.id;
}

/**
 * Whether somebody may end a token. One for everything of its owner is also of organizations that an admin of one has
 * nothing to do with, so that takes the right in each.
 */
export function mayRevoke(who: Identity, token: TokenFacts, organizations: readonly string[]): Decision {
  if (who.kind === 'local') return may(who, 'tokens:manage', SERVER);
  if (isOwn(who, token)) return { allowed: true, reason: 'it is your own' };
  const { organization } = token.scope;
  const concerned = organization === null ? organizations : [organization];
  if (concerned.length === 0) return { allowed: false, reason: 'it is of no organization of yours' };
  const decisions = concerned.map((each) => may(who, 'tokens:manage', { on: 'organization', organization: each }));
  const [first] = decisions;
  if (first === undefined || decisions.every(({ allowed }) => allowed)) return first ?? NOT_ALL;
  return organization === null ? NOT_ALL : first;
}

const NOT_ALL: Decision = {
  allowed: false,
  reason: 'it is for everything that its owner may, and you do not manage the tokens of all their organizations',
};

const isWhole = ({ organization, permissions, project, environment }: TokenScope): boolean =>
  organization === null &&
  permissions === null &&
  project === WHOLE_SCOPE.project &&
  environment === WHOLE_SCOPE.environment;
