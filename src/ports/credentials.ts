/** Something to be shown once; only the hash is stored. */
export interface NewSecret {
  readonly text: string;
  readonly hash: string;
}

export interface NewApiToken extends NewSecret {
  /** By which people recognise it in a list; no part of the secret. */
  readonly prefix: string;
}

/** By what people and programs prove who they are. */
export interface Credentials {
  /** EvenkeelError `sign-in-busy` (retryable) when too many passwords are being looked at. */
  hashPassword(password: string): Promise<string>;
  /**
   * Null as stored hash, for somebody without a password or without an account, takes as long and never matches.
   * `outdated`: made with former parameters; to be made anew while the password is known. Throws as `hashPassword`.
   */
  checkPassword(password: string, stored: string | null): Promise<{ matches: boolean; outdated: boolean }>;

  /** For a cookie or a one-time link. */
  newSecret(): NewSecret;
  newApiToken(): NewApiToken;
  /** By which any of them is looked up: of 260 random bits, so that a plain hash is enough. */
  hashOf(text: string): string;
  /** In constant time. */
  sameText(one: string, other: string): boolean;

  /** A new secret for an authenticator app of this user; `uri` is what a QR code holds. */
  newTotp(user: { id: string; login: string }): Promise<{ sealed: string; secret: string; uri: string }>;
  /** The step to be stored as used, or null for a wrong code, or one of a step that is not after `usedStep`. */
  checkTotp(
    user: { id: string },
    code: string,
    totp: { sealed: string; usedStep: number | null },
    now: number,
  ): Promise<number | null>;
}
