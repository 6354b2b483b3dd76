import type { Grant } from './identity.ts';

/** How people and programs are known who prove elsewhere who they are. What an operator writes in `sign-in.yaml`. */
export interface Elsewhere {
  /** Of the dashboard, without a path; null: nobody has said so, and nobody signs in by OpenID Connect. */
  readonly publicUrl: string | null;
  /** In front of the dashboard: what they say of those who ask is believed. Addresses and networks. */
  readonly trustedProxies: readonly string[];
  readonly oidc: readonly OidcProvider[];
  readonly bearer: readonly BearerIssuer[];
}

export const NOWHERE: Elsewhere = { publicUrl: null, trustedProxies: [], oidc: [], bearer: [] };

interface Issuer {
  /** As in the file, and in what is granted by it. */
  readonly id: string;
  /** Exactly as its own documents and tokens name it. */
  readonly issuer: string;
  /** Certificates that prove its name beside those of the system, in PEM form; null: none. */
  readonly ca: string | null;
  /** The claim that holds the sign-in name. */
  readonly login: string;
  /** Its addresses count as verified also when it does not say so. */
  readonly trustsEmails: boolean;
  readonly roles: readonly RoleRule[];
}

/** Where people sign in with OpenID Connect. */
export interface OidcProvider extends Issuer {
  /** For people. */
  readonly name: string;
  readonly clientId: string;
  /** Null: a public client, which PKCE alone protects. */
  readonly clientSecret: string | null;
  /** Beside `openid`. */
  readonly scopes: readonly string[];
  readonly admits: Admits;
}

/**
 * Whose account opens a session: one that a user has linked; also that of somebody who was invited by the name it has; or
 * also any with an address that is listed, whose user is made then.
 */
export type Admits = 'linked' | 'invited' | { readonly emails: readonly string[] };

/** Whose tokens are believed. */
export interface BearerIssuer extends Issuer {
  /** One of them is named by every token. */
  readonly audience: readonly string[];
  /** Where its keys are; null: where its discovery document says. */
  readonly keys: string | null;
}

/** What a claim gives. */
export interface RoleRule extends Grant {
  /** Null: everybody whom the issuer names. */
  readonly when: { readonly claim: string; readonly value: string } | null;
  /** Its id or its name. */
  readonly organization: string;
}
