import { normalLogin } from './passwords.ts';
import type { Permission } from './permissions.ts';
import { EVERYTHING } from './patterns.ts';
import { findRole, type Role } from './roles.ts';

/** Who asks. */
export type Identity = Local | Person | TokenHolder | Bearer | Anonymous;

/** Whoever has not said who they are. They may sign in, and nothing else. */
export interface Anonymous {
  readonly kind: 'anonymous';
  readonly name: string;
  readonly memberships: readonly [];
}

export const NOBODY: Anonymous = { kind: 'anonymous', name: 'nobody', memberships: [] };

/** Whoever can read the token file of the server's own folder, and so owns everything here. */
export interface Local {
  readonly kind: 'local';
  /** As journal and audit name them; each kind of identity has one. */
  readonly name: string;
}

/** A user who signed in. */
export interface Person {
  readonly kind: 'user';
  readonly id: string;
  readonly name: string;
  /** Has the permissions of the server, and by that none in any organization. */
  readonly runsServer: boolean;
  readonly memberships: readonly Membership[];
}

/** A program with an API token: may what its owner may, as far as the token's scope goes. */
export interface TokenHolder {
  readonly kind: 'token';
  readonly id: string;
  readonly name: string;
  readonly owner: Person;
  readonly scope: TokenScope;
}

/** Somebody whom an issuer that the operator trusts has named, with grants by what its claims say. */
export interface Bearer {
  readonly kind: 'bearer';
  readonly issuer: string;
  readonly subject: string;
  readonly name: string;
  /** Who signs in with this identity; null when there is none. */
  readonly user: { readonly id: string; readonly login: string } | null;
  readonly memberships: readonly Membership[];
}

export interface Membership {
  readonly organization: string;
  readonly grants: readonly HeldGrant[];
}

/** A role in the environments and projects that the patterns name. */
export interface Grant {
  readonly role: string;
  readonly project: string;
  readonly environment: string;
}

export interface HeldGrant extends Grant {
  readonly permissions: readonly Permission[];
}

/** What is left of what the owner may. */
export interface TokenScope {
  /** Null: wherever the owner is a member, and the server. */
  readonly organization: string | null;
  /** Null: all of the owner's. */
  readonly permissions: readonly Permission[] | null;
  readonly project: string;
  readonly environment: string;
}

export const WHOLE_SCOPE: TokenScope = {
  organization: null,
  permissions: null,
  project: EVERYTHING,
  environment: EVERYTHING,
};

/** What is known of a user when they ask. */
export interface Standing {
  readonly id: string;
  readonly login: string;
  readonly runsServer: boolean;
  readonly memberships: readonly {
    readonly organization: string;
    readonly grants: readonly Grant[];
    readonly roles: readonly Role[];
  }[];
}

/** A grant of a role that is not there gives nothing. */
export function personOf({ id, login, runsServer, memberships }: Standing): Person {
  return {
    kind: 'user',
    id,
    name: login,
    runsServer,
    memberships: memberships.map(({ organization, grants, roles }) => ({
      organization,
      grants: grants.map(({ role, project, environment }) => ({
        role,
        project,
        environment,
        permissions: findRole(role, roles)?.permissions ?? [],
      })),
    })),
  };
}

const humanNamed = (login: string): string => `person:${normalLogin(login)}`;

/** The user behind an identity, whose tokens are their own; null: there is none. */
export function userOf(who: Identity): string | null {
  switch (who.kind) {
    case 'local':
    case 'anonymous':
      return null;
    case 'user':
      return who.id;
    case 'token':
      return who.owner.id;
    case 'bearer':
      return who.user?.id ?? null;
  }
}

/**
 * Names the human being behind an identity, the same for a user, their tokens and their account at an issuer. Whoever has
 * the local token says who they are, and is believed: who types commands as ann is the ann who signs in.
 */
export function humanOf(who: Identity): string {
  switch (who.kind) {
    case 'local':
      return humanNamed(who.name);
    case 'user':
      return humanNamed(who.name);
    case 'token':
      return humanOf(who.owner);
    case 'anonymous':
      return 'nobody';
    case 'bearer':
      // Also an account that no user has linked, by the name that it has: else its owner would be two people.
      return humanNamed(who.user?.login ?? who.name);
  }
}
