import { type Grant, type HeldGrant, type Identity, type Person, type TokenScope, userOf } from './identity.ts';
import { type Decision, may, organizationsOf, SERVER } from './may.ts';
import { covers } from './patterns.ts';
import { levelOf, type Permission, PERMISSIONS } from './permissions.ts';

/**
 * Whether somebody may give (or take) a grant in an organization: they may say who is in it, and have each permission of
 * the role themselves wherever the grant holds. Else whoever manages people could make themselves admin.
 */
export function mayGrant(
  who: Identity,
  organization: string,
  grant: Grant & { readonly permissions: readonly Permission[] },
): Decision {
  const manages = may(who, 'people:write', { on: 'organization', organization });
  if (!manages.allowed || who.kind === 'local') return manages;
  const held = heldIn(who, organization);
  const missing = grant.permissions.find((permission) => !hasThere(who, held, organization, permission, grant));
  if (missing === undefined) return { allowed: true, reason: `has all that ${grant.role} gives there` };
  return {
    allowed: false,
    reason: `${grant.role} for ${grant.project}/${grant.environment} gives ${missing}, which you do not have there`,
  };
}

/** Whether somebody may take somebody else out of an organization: whoever could have given each of their grants. */
export function mayRemove(who: Identity, organization: string, grants: readonly HeldGrant[]): Decision {
  const manages = may(who, 'people:write', { on: 'organization', organization });
  if (!manages.allowed) return manages;
  return grants.map((grant) => mayGrant(who, organization, grant)).find(({ allowed }) => !allowed) ?? manages;
}

/**
 * Whether somebody may give a user another way in, by a link or without the second factor: whoever does could come in as
 * that user, so it takes all that the user may, wherever that is. For oneself there are ways that ask for a proof.
 */
export function mayHelp(who: Identity, user: Person): Decision {
  if (who.kind === 'local') return may(who, 'people:write', SERVER);
  if (userOf(who) === user.id)
    return no('this is for others; your own are in your settings, where a proof is asked for');
  if (user.runsServer && !runsAll(who)) return no('they run the server');
  for (const { organization, grants } of user.memberships) {
    // Also one in which they have nothing yet: whoever comes in as them now would still be there when they have.
    const refused = [
      may(who, 'people:write', { on: 'organization', organization }),
      ...grants.map((grant) => mayGrant(who, organization, grant)),
    ].find(({ allowed }) => !allowed);
    // Of organizations that one is no member of nothing is told.
    if (refused !== undefined) return organizationsOf(who)?.includes(organization) ? refused : no(ELSEWHERE);
  }
  return { allowed: true, reason: 'has all that they have' };
}

/** A token may be made for a part of it. */
export const runsAll = (who: Identity): boolean =>
  PERMISSIONS.every((each) => levelOf(each) !== 'server' || may(who, each, SERVER).allowed);

const ELSEWHERE = 'they may do something in another organization that you may not';

const no = (reason: string): Decision => ({ allowed: false, reason });

/** Whether somebody may make or change a custom role: with nothing in it that they do not have everywhere themselves. */
export function mayShapeRole(who: Identity, organization: string, permissions: readonly Permission[]): Decision {
  const shapes = may(who, 'roles:write', { on: 'organization', organization });
  if (!shapes.allowed || who.kind === 'local') return shapes;
  const missing = permissions.find((each) => !may(who, each, { on: 'organization', organization }).allowed);
  if (missing === undefined) return { allowed: true, reason: 'has all of its permissions' };
  return { allowed: false, reason: `it holds ${missing}, which you do not have in all of the organization` };
}

/**
 * The scope of a token that is made with a token: what both allow. A token cannot be made into a wider one. Null when
 * nothing would be left of it, or it cannot be said.
 */
export function narrowed(by: TokenScope, wanted: TokenScope): TokenScope | null {
  if (by.organization !== null && wanted.organization !== null && by.organization !== wanted.organization) return null;
  if (!covers(by.project, wanted.project) || !covers(by.environment, wanted.environment)) return null;
  const { permissions } = by;
  return {
    organization: by.organization ?? wanted.organization,
    permissions:
      permissions === null
        ? wanted.permissions
        : wanted.permissions === null
          ? permissions
          : wanted.permissions.filter((each) => permissions.includes(each)),
    project: wanted.project,
    environment: wanted.environment,
  };
}

/** The permission that somebody lacks for a scope, who may not pass on what they do not have; null: none. */
export function lackedFor(
  who: Exclude<Identity, { kind: 'local' }>,
  organization: string,
  permissions: readonly Permission[],
  at: Pick<Grant, 'project' | 'environment'>,
): Permission | null {
  const held = heldIn(who, organization);
  return permissions.find((each) => !hasThere(who, held, organization, each, at)) ?? null;
}

function heldIn(who: Exclude<Identity, { kind: 'local' }>, organization: string): readonly HeldGrant[] {
  const { memberships } = who.kind === 'token' ? who.owner : who;
  return memberships.filter((each) => each.organization === organization).flatMap(({ grants }) => grants);
}

function hasThere(
  who: Identity,
  held: readonly HeldGrant[],
  organization: string,
  permission: Permission,
  { project, environment }: Pick<Grant, 'project' | 'environment'>,
): boolean {
  // A token gives only what it could do itself; and one that may manage people is made for all of the organization.
  if (who.kind === 'token' && who.scope.permissions !== null && !who.scope.permissions.includes(permission))
    return false;
  if (levelOf(permission) === 'organization' && project === '*' && environment === '*')
    return may(who, permission, { on: 'organization', organization }).allowed;
  return held.some(
    (each) =>
      each.permissions.includes(permission) && covers(each.project, project) && covers(each.environment, environment),
  );
}
