import type { Standing, TokenScope } from '../domain/access/identity.ts';
import type { SessionRule } from '../domain/access/sessions.ts';
import type { Limit } from '../domain/access/sign-in-limits.ts';

export interface Session {
  readonly id: string;
  readonly hash: string;
  readonly user: string;
  /** How they signed in. */
  readonly method: 'password' | 'link' | 'oidc';
  readonly address: string | null;
  readonly agent: string | null;
  readonly createdAt: number;
  readonly seenAt: number;
  readonly expiresAt: number;
}

export interface SignedInBy {
  /** The hash of the session that ends with it; null: none. */
  readonly replaces: string | null;
  /**
   * When the password was set that was looked at, to see that it still is the one: `sign-in-outdated` (retryable) if not.
   * Absent for a sign-in without one.
   */
  readonly passwordAt?: number | null;
  /** It is the second step: what it replaces must still be a pending session; `sign-in-outdated` if not. */
  readonly completes?: boolean;
}

export interface ApiToken {
  readonly id: string;
  readonly hash: string;
  readonly prefix: string;
  /** Unique among those of its owner. */
  readonly name: string;
  readonly user: string;
  /** The token that it was made with, and with which it ends; null: a person made it. */
  readonly madeBy: string | null;
  readonly scope: TokenScope;
  readonly createdAt: number;
  readonly expiresAt: number | null;
  readonly usedAt: number | null;
  readonly usedFrom: string | null;
}

export interface SignInLink {
  readonly hash: string;
  readonly user: string;
  readonly purpose: 'first-start' | 'invitation' | 'reset';
  readonly createdBy: string;
  readonly createdAt: number;
  readonly expiresAt: number;
}

export interface OidcIdentity {
  readonly issuer: string;
  readonly subject: string;
  readonly user: string;
  readonly linkedAt: number;
}

export type AttemptsAllowed = { allowed: true } | { allowed: false; key: string; waitMs: number };

/**
 * By what people and programs are known when they ask. Only hashes of what they show are stored. Whoever is disabled has no
 * session, token or link that counts. Errors beside those of `Store`: `user-unknown`, `organization-unknown`,
 * `token-name-taken`, `token-unknown` (it was to be made with one that is gone), `identity-taken`, `sign-in-outdated`.
 */
export interface SignInStore {
  /** Ends the session that it replaces: an id that somebody had planted before the sign-in is worth nothing after it. */
  addSession(session: Session, by: SignedInBy): Promise<void>;
  /** The password was right and the second factor is still to come. Replaced by a session, or over in minutes. */
  addPendingSession(session: Session, by: SignedInBy): Promise<void>;
  /** Null when it is over, pending, or its user disabled. */
  session(hash: string, now: number, rule: SessionRule): Promise<{ session: Session; standing: Standing } | null>;
  pendingSession(hash: string, now: number): Promise<Session | null>;
  /** Writes at most once a minute for each. */
  sessionSeen(hash: string, now: number): Promise<void>;
  /** Latest first. */
  sessions(user: string, now: number, rule: SessionRule): Promise<Session[]>;
  /** By hash (signing out) or by the id that lists show. */
  endSession(which: { hash: string } | { user: string; id: string }): Promise<boolean>;
  endSessions(user: string, but: string | null): Promise<number>;
  /** The link of a user that somebody else than `by` has made, if there is one. */
  endLinkOfOthers(user: string, by: string): Promise<void>;

  addToken(token: ApiToken): Promise<void>;
  token(hash: string, now: number): Promise<{ token: ApiToken; standing: Standing } | null>;
  /** Writes at most once a minute for each. */
  tokenUsed(id: string, now: number, from: string | null): Promise<void>;
  tokenById(id: string): Promise<ApiToken | null>;
  /** By name, with those that have expired. Of an organization: also the tokens of its members for everything. */
  tokens(of: { user: string } | { organization: string }): Promise<ApiToken[]>;
  /** With those that were made with it. */
  revokeToken(id: string): Promise<boolean>;

  /** In the place of an earlier one of this user. */
  addLink(link: SignInLink): Promise<void>;
  /** Uses it up: of two who open it at once one gets it. */
  takeLink(hash: string, now: number): Promise<SignInLink | null>;

  /** Nothing when it is this user's already. */
  linkIdentity(identity: OidcIdentity): Promise<void>;
  userOfIdentity(issuer: string, subject: string): Promise<string | null>;
  identities(user: string): Promise<OidcIdentity[]>;
  unlinkIdentity(user: string, issuer: string, subject: string): Promise<boolean>;

  /** Counts a try for each key, before anything is looked at; none, when one of them has to wait. */
  beginAttempt(keys: readonly { key: string; limit: Limit }[], now: number): Promise<AttemptsAllowed>;
  /** Forgets those of a name that got in, and takes one off the others (the address). */
  attemptSucceeded(keys: { forget: string; takeOff: readonly string[] }): Promise<void>;

  /** Deletes what is over. To be called every few minutes. */
  forgetExpired(now: number, rule: SessionRule): Promise<void>;
}
