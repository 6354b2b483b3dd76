import type { HeldGrant, Identity, Membership, TokenHolder } from './identity.ts';
import { EVERYTHING, matches } from './patterns.ts';
import { isPermission, levelOf, type Permission } from './permissions.ts';

/** An environment of a project. */
export interface Scope {
  readonly project: string;
  readonly environment: string;
}

/** What an act is on. */
export type Target =
  | { readonly on: 'server' }
  | { readonly on: 'organization'; readonly organization: string }
  /** `organization`: to which the project belongs; null when to none. */
  | ({ readonly on: 'environment'; readonly organization: string | null } & Scope);

export interface Decision {
  readonly allowed: boolean;
  /** For whoever asked, and for the audit. Says nothing about what they may not know of. */
  readonly reason: string;
}

export const SERVER: Target = { on: 'server' };

/** Null as scope: the server. */
export const targetOf = (scope: Scope | null, organization: string | null): Target =>
  scope === null ? SERVER : { on: 'environment', organization, project: scope.project, environment: scope.environment };

/**
 * Whether somebody may do something, and why. What nothing allows is denied: there are no grants that take away, so less
 * of them never gives more.
 */
export function may(who: Identity, permission: string, target: Target): Decision {
  if (!isPermission(permission)) return no(`there is no permission ${permission}`);
  if (who.kind === 'anonymous') return no('whoever asks is not signed in');
  if (who.kind === 'local') return yes("whoever has the token of the server's own folder may do everything");
  const misplaced = misplacement(permission, target);
  if (misplaced !== null) return no(misplaced);
  switch (who.kind) {
    case 'user':
      return target.on === 'server' ? byRunning(who.runsServer) : byGrants(who.memberships, permission, target);
    case 'token':
      return byToken(who, permission, target);
    case 'bearer':
      return target.on === 'server' ? byRunning(false) : byGrants(who.memberships, permission, target);
  }
}

/** The organizations that somebody is a member of; null: all of them. */
export function organizationsOf(who: Identity): readonly string[] | null {
  if (who.kind === 'local') return null;
  const { memberships } = who.kind === 'token' ? who.owner : who;
  const all = memberships.map(({ organization }) => organization);
  const only = who.kind === 'token' ? who.scope.organization : null;
  return only === null ? all : all.filter((each) => each === only);
}

const yes = (reason: string): Decision => ({ allowed: true, reason });
const no = (reason: string): Decision => ({ allowed: false, reason });

/**
 * A permission of environments can be asked for a whole organization; the other way round, and across the server's border,
 * it is a mistake of whoever asks, and no permission by accident.
 */
function misplacement(permission: Permission, target: Target): string | null {
  const level = levelOf(permission);
  if (level === target.on || (level === 'environment' && target.on === 'organization')) return null;
  return `${permission} is about ${level === 'server' ? 'the server' : `an ${level}`}, and this is ${describe(target)}`;
}

function describe(target: Target): string {
  switch (target.on) {
    case 'server':
      return 'the server';
    case 'organization':
      return `the organization ${target.organization}`;
    case 'environment':
      return `${target.environment} of ${target.project}`;
  }
}

const byRunning = (runsServer: boolean): Decision =>
  runsServer ? yes('runs the server') : no('this is for those who run the server');

type Within = Exclude<Target, { on: 'server' }>;

function byGrants(memberships: readonly Membership[], permission: Permission, target: Within): Decision {
  if (target.on === 'environment' && target.organization === null)
    return no(`${target.project} belongs to no organization`);
  if (!memberships.some(({ organization }) => organization === target.organization))
    return no(`${describe(target)} is nothing of an organization of yours`);
  const [grant] = applying(memberships, permission, target);
  if (grant === undefined) return no(`no role of yours has ${permission} for ${describe(target)}`);
  return yes(`${grant.role} of ${grant.project}/${grant.environment} in ${target.organization}`);
}

function applying(memberships: readonly Membership[], permission: Permission, target: Within): readonly HeldGrant[] {
  return memberships
    .filter(({ organization }) => organization === target.organization)
    .flatMap(({ grants }) => grants)
    .filter((grant) => grant.permissions.includes(permission) && reaches(grant, target));
}

/** What is about an organization as a whole needs a grant for the whole of it. */
function reaches({ project, environment }: { project: string; environment: string }, target: Within): boolean {
  if (target.on === 'organization') return project === EVERYTHING && environment === EVERYTHING;
  return matches(project, target.project) && matches(environment, target.environment);
}

function byToken({ owner, scope }: TokenHolder, permission: Permission, target: Target): Decision {
  if (scope.permissions !== null && !scope.permissions.includes(permission))
    return no(`the token is not made for ${permission}`);
  const within =
    target.on === 'server'
      ? scope.organization === null && reaches(scope, { on: 'organization', organization: '' })
      : (scope.organization === null || scope.organization === target.organization) && reaches(scope, target);
  if (!within) return no(`the token is not made for ${describe(target)}`);
  const owners = may(owner, permission, target);
  return owners.allowed ? yes(`token: ${owners.reason}`) : no(`the owner of the token may not: ${owners.reason}`);
}
