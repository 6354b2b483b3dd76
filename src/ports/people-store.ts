import type { Grant, Standing } from '../domain/access/identity.ts';
import type { Organization } from '../domain/access/organization.ts';
import type { Role } from '../domain/access/roles.ts';

/** What people may see of each other. */
export interface User {
  readonly id: string;
  /** By which they sign in; see `normalLogin`. */
  readonly login: string;
  /** For people. */
  readonly name: string;
  readonly hasPassword: boolean;
  /** A confirmed one. */
  readonly hasSecondFactor: boolean;
  readonly runsServer: boolean;
  /** They cannot sign in, and their tokens do nothing. */
  readonly disabledAt: number | null;
  readonly createdAt: number;
  readonly signedInAt: number | null;
}

/** What a sign-in is checked against. It leaves the store for nothing else. */
export interface UserProofs {
  readonly user: User;
  readonly passwordHash: string | null;
  readonly passwordAt: number | null;
  /** The second factor; not asked for before it is confirmed. */
  readonly totp: { readonly sealed: string; readonly confirmed: boolean; readonly usedStep: number | null } | null;
}

export type NewUser = Pick<User, 'id' | 'login' | 'name' | 'runsServer' | 'createdAt'>;

export interface StoredGrant extends Grant {
  readonly id: string;
  readonly organization: string;
  readonly user: string;
  readonly grantedBy: string;
  readonly grantedAt: number;
}

/**
 * What must not be lost by a change: somebody who may do everything in each organization that it touches (`last-admin`)
 * and somebody who runs the server (`last-runs-server`), if there was somebody before. Absent: whatever.
 */
export type Keep = 'somebody-in-charge';

export interface Member {
  readonly user: User;
  readonly since: number;
  readonly grants: readonly StoredGrant[];
}

/**
 * Organizations and who is in them. Errors beside those of `Store`: `organization-unknown`, `user-unknown`,
 * `member-unknown`, `role-unknown`; `organization-exists`, `login-taken`, `role-exists`, `role-in-use`,
 * `organization-in-use`; with `Keep`: `last-admin`, `last-runs-server`.
 */
export interface PeopleStore {
  /** By name. */
  organizations(): Promise<Organization[]>;
  organization(id: string): Promise<Organization | null>;
  addOrganization(organization: Organization): Promise<void>;
  renameOrganization(id: string, name: string): Promise<void>;
  /** With its memberships, roles, grants and tokens; refused while it has projects. */
  removeOrganization(id: string): Promise<void>;

  /** The organization of a project; null for one that nobody has claimed. */
  organizationOf(project: string): Promise<string | null>;
  projects(organization?: string): Promise<{ project: string; organization: string }[]>;
  /** Makes the project the organization's, unless somebody has it; answers whose it is. Of several at once one gets it. */
  claimProject(project: string, organization: string, at: number): Promise<string>;
  /** False when it is not in `from`, any more. Its environments, tokens' reach and audit move with it. */
  moveProject(project: string, move: { from: string; to: string; at: number }): Promise<boolean>;

  /** The very first user, who runs the server and is admin of the default organization; false when there is one. */
  addFirstUser(user: NewUser, grant: { id: string; by: string }): Promise<boolean>;
  addUser(user: NewUser): Promise<void>;
  user(id: string): Promise<User | null>;
  proofs(of: { id: string } | { login: string }): Promise<UserProofs | null>;
  /** By login. */
  users(): Promise<User[]>;
  /** Whether anybody who is a user now ever has. */
  hasAnybodySignedIn(): Promise<boolean>;
  renameUser(id: string, name: string): Promise<void>;
  setRunsServer(id: string, runsServer: boolean, keep?: Keep): Promise<void>;
  /**
   * With time: no sign-in any more, sessions and links end. Null: back, with their tokens. An admin is kept from nothing
   * by `keep`, but the last who runs the server is: it must be possible to shut somebody out at once.
   */
  setDisabled(id: string, at: number | null, keep?: Keep): Promise<void>;
  /** With all that is theirs. What they did stays under their name. */
  removeUser(id: string, keep?: Keep): Promise<void>;

  /** Ends all sessions but the one with this hash, and links; so does whoever sets a password for somebody (null). */
  setPassword(id: string, hash: string, at: number, keepSession: string | null): Promise<void>;
  /** The same password, hashed better; false when it was changed meanwhile. Ends nothing. */
  upgradePassword(id: string, from: string, to: string): Promise<boolean>;
  /**
   * A new second factor, not confirmed yet, or none. False, and nothing written, when there is a confirmed one: that is
   * taken away first, by somebody who may.
   */
  setTotp(id: string, sealed: string | null): Promise<boolean>;
  /**
   * Marks the step of a code as used, and the factor as confirmed; false when it or a later one was used, or when the
   * factor is not `sealed` any more: of two that give the same code at once one gets in.
   */
  useTotpStep(id: string, sealed: string, step: number): Promise<boolean>;

  /** Members with their grants, by login. */
  members(organization: string): Promise<Member[]>;
  /** Nothing when they are one. */
  addMember(organization: string, user: string, at: number): Promise<void>;
  /** With their grants and their tokens of this organization. False when they were none. */
  removeMember(organization: string, user: string, keep?: Keep): Promise<boolean>;
  /** The same one again changes nothing and answers the one there is. The role must exist. */
  addGrant(grant: StoredGrant): Promise<StoredGrant>;
  grant(organization: string, id: string): Promise<StoredGrant | null>;
  removeGrant(organization: string, id: string, keep?: Keep): Promise<boolean>;

  /** The custom ones, by name. */
  roles(organization: string): Promise<Role[]>;
  /** Makes it or changes it, as asked: `role-exists`, `role-unknown` otherwise. */
  saveRole(organization: string, role: Role, at: number, is: 'new' | 'known', keep?: Keep): Promise<void>;
  /** Refused while somebody has it. */
  removeRole(organization: string, name: string): Promise<void>;

  /** What makes an identity of a user; null for one who does not exist or is disabled. */
  standing(user: string): Promise<Standing | null>;
}
