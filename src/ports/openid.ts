import type { Claims } from '../domain/access/claims.ts';
import type { BearerIssuer, OidcProvider } from '../domain/access/elsewhere.ts';

/** What a sign-in is bound to: made for it, and given back with what came of it. */
export interface OidcRound {
  /** Where the provider sends people back to. */
  readonly redirectUri: string;
  readonly state: string;
  readonly nonce: string;
  /** Of PKCE. */
  readonly verifier: string;
}

/**
 * OpenID Connect, as a client. EvenkeelError: `issuer-away` (retryable), `issuer-mistaken` (it is another than it was named),
 * `issuer-address-refused` (it names an address where nobody is to be asked).
 */
export interface OidcClient {
  /** Where somebody is sent to sign in. */
  begin(provider: OidcProvider, round: OidcRound): Promise<string>;
  /**
   * What the provider says of who came back with `query`; proven, for this round and this client, with `iss` and `sub`.
   * Besides: `oidc-refused` (the provider, or the person there, said no), `oidc-code-refused` (too old, or used),
   * `oidc-client-refused` (it does not know evenkeel), `oidc-reply-refused` (what it says is not for this round, or not its).
   */
  finish(provider: OidcProvider, round: OidcRound, query: string): Promise<Claims>;
}

/** JWTs of issuers that an operator named. */
export interface TokenVerifier {
  /**
   * Null for what is no JWT, or one of nobody who was named. EvenkeelError: `unauthorized` for one that does not count, any
   * more or here, with why; `issuer-away` (retryable), `issuer-mistaken` and `issuer-address-refused` as above.
   */
  verify(text: string): Promise<{ readonly issuer: BearerIssuer; readonly claims: Claims } | null>;
}
