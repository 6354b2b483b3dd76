import { z } from 'zod';
import { isPermission, type Permission } from '../../domain/access/permissions.ts';
import type { Role } from '../../domain/access/roles.ts';
import type { StoredGrant, User, UserProofs } from '../../ports/people-store.ts';
import type { ApiToken, Session, SignInLink } from '../../ports/sign-in-store.ts';
import type { AccessTables, GrantRow, LinkRow, SessionRow, TokenRow, UserRow } from './access-tables.ts';
import { type Flag, flag } from './database.ts';
import { parseJson, parseValue, type RowName } from './parse.ts';

const methodSchema = z.enum(['password', 'link', 'oidc']);
const purposeSchema = z.enum(['first-start', 'invitation', 'reset']);

export const readUser = (row: UserRow): User => ({
  id: row.id,
  login: row.login,
  name: row.name,
  hasPassword: row.password_hash !== null,
  hasSecondFactor: row.totp_sealed !== null && row.totp_confirmed === 1,
  runsServer: row.runs_server === 1,
  disabledAt: row.disabled_at,
  createdAt: row.created_at,
  signedInAt: row.signed_in_at,
});

export const readProofs = (row: UserRow): UserProofs => ({
  user: readUser(row),
  passwordHash: row.password_hash,
  passwordAt: row.password_at,
  totp:
    row.totp_sealed === null
      ? null
      : { sealed: row.totp_sealed, confirmed: row.totp_confirmed === 1, usedStep: row.totp_step },
});

/** A permission that this evenkeel does not know (any more) is left out: less is given, never more. */
function readPermissions(text: string, row: RowName): Permission[] {
  return parseJson(z.array(z.string()), text, row).filter(isPermission);
}

export const readRole = ({ organization, name, permissions }: AccessTables['roles']): Role => ({
  name,
  permissions: readPermissions(permissions, { table: 'roles', id: `${organization}/${name}` }),
});

export const readGrant = (row: GrantRow): StoredGrant => ({
  id: row.id,
  organization: row.organization,
  user: row.user_id,
  role: row.role,
  project: row.project,
  environment: row.environment,
  grantedBy: row.granted_by,
  grantedAt: row.granted_at,
});

export const grantRow = (grant: StoredGrant): GrantRow => ({
  id: grant.id,
  organization: grant.organization,
  user_id: grant.user,
  role: grant.role,
  project: grant.project,
  environment: grant.environment,
  granted_by: grant.grantedBy,
  granted_at: grant.grantedAt,
});

export const readSession = (row: SessionRow): Session => ({
  id: row.id,
  hash: row.hash,
  user: row.user_id,
  method: parseValue(methodSchema, row.method, { table: 'sessions', id: row.id }),
  address: row.address,
  agent: row.agent,
  createdAt: row.created_at,
  seenAt: row.seen_at,
  expiresAt: row.expires_at,
});

export const sessionRow = (session: Session, pending: boolean): SessionRow => ({
  id: session.id,
  hash: session.hash,
  user_id: session.user,
  pending: flag(pending) satisfies Flag,
  method: session.method,
  address: session.address,
  agent: session.agent,
  created_at: session.createdAt,
  seen_at: session.seenAt,
  expires_at: session.expiresAt,
});

export const readToken = (row: TokenRow): ApiToken => ({
  id: row.id,
  hash: row.hash,
  prefix: row.prefix,
  name: row.name,
  user: row.user_id,
  madeBy: row.made_by,
  scope: {
    organization: row.organization,
    permissions: row.permissions === null ? null : readPermissions(row.permissions, { table: 'tokens', id: row.id }),
    project: row.project,
    environment: row.environment,
  },
  createdAt: row.created_at,
  expiresAt: row.expires_at,
  usedAt: row.used_at,
  usedFrom: row.used_from,
});

export const tokenRow = ({ scope, ...token }: ApiToken): TokenRow => ({
  id: token.id,
  hash: token.hash,
  prefix: token.prefix,
  name: token.name,
  user_id: token.user,
  made_by: token.madeBy,
  organization: scope.organization,
  permissions: scope.permissions === null ? null : JSON.stringify(scope.permissions),
  project: scope.project,
  environment: scope.environment,
  created_at: token.createdAt,
  expires_at: token.expiresAt,
  used_at: token.usedAt,
  used_from: token.usedFrom,
});

export const readLink = (row: LinkRow): SignInLink => ({
  hash: row.hash,
  user: row.user_id,
  purpose: parseValue(purposeSchema, row.purpose, { table: 'sign_in_links', id: row.user_id }),
  createdBy: row.created_by,
  createdAt: row.created_at,
  expiresAt: row.expires_at,
});

export const linkRow = (link: SignInLink): LinkRow => ({
  user_id: link.user,
  hash: link.hash,
  purpose: link.purpose,
  created_by: link.createdBy,
  created_at: link.createdAt,
  expires_at: link.expiresAt,
});
