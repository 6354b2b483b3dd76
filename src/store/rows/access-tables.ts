import type { Flag } from './database.ts';

/** The tables of who may do what; what a column means stands in migrations/0006-access.sql. */
export interface AccessTables {
  organizations: { id: string; name: string; created_at: number };
  projects: { project: string; organization: string; since: number };
  users: UserRow;
  memberships: { organization: string; user_id: string; since: number };
  roles: { organization: string; name: string; permissions: string; updated_at: number };
  grants: GrantRow;
  sessions: SessionRow;
  tokens: TokenRow;
  sign_in_links: LinkRow;
  identities: { issuer: string; subject: string; user_id: string; linked_at: number };
  sign_in_attempts: { key: string; count: number; last_at: number };
}

export interface UserRow {
  id: string;
  login: string;
  name: string;
  password_hash: string | null;
  password_at: number | null;
  totp_sealed: string | null;
  totp_confirmed: Flag;
  totp_step: number | null;
  runs_server: Flag;
  disabled_at: number | null;
  created_at: number;
  signed_in_at: number | null;
}

export interface GrantRow {
  id: string;
  organization: string;
  user_id: string;
  role: string;
  project: string;
  environment: string;
  granted_by: string;
  granted_at: number;
}

export interface SessionRow {
  id: string;
  hash: string;
  user_id: string;
  pending: Flag;
  method: string;
  address: string | null;
  agent: string | null;
  created_at: number;
  seen_at: number;
  expires_at: number;
}

export interface TokenRow {
  id: string;
  hash: string;
  prefix: string;
  name: string;
  user_id: string;
  made_by: string | null;
  organization: string | null;
  permissions: string | null;
  project: string;
  environment: string;
  created_at: number;
  expires_at: number | null;
  used_at: number | null;
  used_from: string | null;
}

export interface LinkRow {
  user_id: string;
  hash: string;
  purpose: string;
  created_by: string;
  created_at: number;
  expires_at: number;
}
