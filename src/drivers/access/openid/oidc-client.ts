import { claimAt, type Claims } from '../../../domain/access/claims.ts';
import type { OidcProvider } from '../../../domain/access/elsewhere.ts';
import { AddressRefused, guardedFetch } from '../../../platform/guarded-fetch.ts';
import type { OidcClient } from '../../../ports/openid.ts';
import { type Configuration, discover, DISCOVERED, openId } from './discover.ts';
import { failureOf } from './failure.ts';
import { remembered } from './remembered.ts';

/** `now`: a clock that only goes forward, ms. */
export function oidcClient({ now }: { now(): number }): OidcClient {
  const known = new Map<string, () => Promise<Configuration>>();

  function configurationOf(provider: OidcProvider): Promise<Configuration> {
    const { id, issuer, ca, clientId, clientSecret } = provider;
    const load =
      known.get(id) ??
      remembered(
        () => discover(provider, { id: clientId, secret: clientSecret }, guardedFetch({ named: [issuer], ca })),
        DISCOVERED,
        now,
      );
    known.set(id, load);
    return load();
  }

  return {
    async begin(provider, { redirectUri, state, nonce, verifier }) {
      const configuration = await configurationOf(provider);
      const lib = await openId();
      try {
        const url = lib.buildAuthorizationUrl(configuration, {
          redirect_uri: redirectUri,
          scope: ['openid', ...provider.scopes.filter((scope) => scope !== 'openid')].join(' '),
          state,
          nonce,
          code_challenge: await lib.calculatePKCECodeChallenge(verifier),
          code_challenge_method: 'S256',
        });
        requireSafe(url, provider);
        return url.href;
      } catch (error) {
        throw failureOf(error, provider);
      }
    },

    async finish(provider, { redirectUri, state, nonce, verifier }, query) {
      const configuration = await configurationOf(provider);
      const lib = await openId();
      try {
        const callback = new URL(redirectUri);
        callback.search = query;
        const tokens = await lib.authorizationCodeGrant(configuration, callback, {
          pkceCodeVerifier: verifier,
          expectedState: state,
          expectedNonce: nonce,
          idTokenExpected: true,
        });
        const said = tokens.claims();
        if (said === undefined) throw new TypeError('there is no ID token');
        if (!lacksSome(provider, said) || configuration.serverMetadata().userinfo_endpoint === undefined) return said;
        // What is signed for this sign-in counts before what is only told.
        return { ...(await lib.fetchUserInfo(configuration, tokens.access_token, said.sub)), ...said };
      } catch (error) {
        throw failureOf(error, provider);
      }
    },
  };
}

/** Whether something that is needed is not in the ID token: many issuers tell it only when asked. */
function lacksSome({ login, admits, roles }: OidcProvider, claims: Claims): boolean {
  const needed = [login, ...(typeof admits === 'string' ? [] : ['email']), ...roles.map(({ when }) => when?.claim)];
  return needed.some((name) => name !== undefined && claimAt(claims, name) === undefined);
}

/** A browser is sent there: to a page of the issuer, and not to whatever it writes. */
function requireSafe({ protocol }: URL, { issuer }: OidcProvider): void {
  if (protocol !== 'https:' && protocol !== new URL(issuer).protocol)
    throw new AddressRefused(`people would be sent to an address of ${protocol}`);
}
