import type * as OpenId from 'openid-client';
import type { guardedFetch } from '../../../platform/guarded-fetch.ts';
import { type About, failureOf, mistaken } from './failure.ts';

/** What an issuer says of itself changes once in years; its keys are asked for more often. */
export const DISCOVERED = { goodMs: 3_600_000, badMs: 5_000 };

export type Configuration = OpenId.Configuration;
export type Ask = ReturnType<typeof guardedFetch>;

/** Loaded when somebody first signs in that way. */
export const openId = (): Promise<typeof OpenId> => import('openid-client');

const SECONDS = 8;

/** Asks the issuer who it is. Throws as `failureOf`. */
export async function discover(
  about: About,
  client: { readonly id: string; readonly secret: string | null },
  ask: Ask,
): Promise<Configuration> {
  const lib = await openId();
  const insecure = new URL(about.issuer).protocol === 'http:';
  const configure = async (authentication: OpenId.ClientAuth): Promise<Configuration> =>
    lib.discovery(new URL(about.issuer), client.id, undefined, authentication, {
      [lib.customFetch]: (url, { body, headers, method, signal }) => ask(url, { body, headers, method, signal }),
      timeout: SECONDS,
      // The signature also of what came straight from the issuer is looked at: it costs one request in an hour.
      execute: [lib.enableNonRepudiationChecks, ...(insecure ? [lib.allowInsecureRequests] : [])],
    });
  try {
    const { secret } = client;
    const found = await configure(secret === null ? lib.None() : byWhatItTakes(lib, secret));
    if (found.serverMetadata().issuer !== about.issuer) throw mistaken(about);
    return found;
  } catch (error) {
    throw failureOf(error, about);
  }
}

/** As the standard has it where the issuer says nothing; not every one takes that. */
function byWhatItTakes(lib: typeof OpenId, secret: string): OpenId.ClientAuth {
  const basic = lib.ClientSecretBasic(secret);
  const post = lib.ClientSecretPost(secret);
  return (server, ...rest) => {
    const methods = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
    const takesPostAlone = methods.includes('client_secret_post') && !methods.includes('client_secret_basic');
    return (takesPostAlone ? post : basic)(server, ...rest);
  };
}
