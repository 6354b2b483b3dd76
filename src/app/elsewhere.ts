import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import type { ApiDeps } from '../api/api-deps.ts';
import { type Elsewhere, NOWHERE } from '../domain/access/elsewhere.ts';
import { addressList } from '../domain/traffic/address.ts';
import { fileSealer } from '../drivers/secrets/file-sealer.ts';
import type { AccessDeps } from '../engine/access/deps.ts';
import type { EngineDeps } from '../engine/deps.ts';
import type { EvenkeelPaths } from '../platform/paths.ts';

/**
 * What `sign-in.yaml` says. When something in it is wrong the server works without all of it, and says so: nobody loses
 * the way to their production by a slip, and nobody gets in by half of a file.
 */
export async function readElsewhere(
  { signIn }: Pick<EvenkeelPaths, 'signIn'>,
  env: NodeJS.ProcessEnv,
  log: Pick<EngineDeps['log'], 'error'>,
): Promise<Elsewhere> {
  // What reads YAML takes memory, and most have none.
  if (!existsSync(signIn)) return NOWHERE;
  const { loadSignIn } = await import('../config/sign-in/load-sign-in.ts');
  const read = await loadSignIn({ file: signIn, env });
  if (read.ok) return read.elsewhere;
  const { renderProblems } = await import('../config/render-problems.ts');
  log.error({}, `nobody signs in elsewhere, for ${signIn} cannot be used:\n${renderProblems(read.problems)}`);
  return NOWHERE;
}

export interface ElsewhereDeps {
  readonly access: () => Promise<AccessDeps>;
  readonly log: EngineDeps['log'];
  readonly sealedWith: Parameters<typeof fileSealer>[0];
}

/** What the API needs of it. What speaks the protocols is loaded with the first who comes that way. */
export function signInElsewhere(
  elsewhere: Elsewhere,
  { access, log, sealedWith }: ElsewhereDeps,
): Pick<ApiDeps, 'providers' | 'door' | 'secure' | 'oidc' | 'recogniseJwt'> {
  const { publicUrl, trustedProxies, oidc, bearer } = elsewhere;
  return {
    providers: oidc.map(({ id, name, issuer }) => ({ id, name, issuer })),
    door: {
      publicOrigin: publicUrl,
      hosts: [hostname().toLowerCase(), ...(publicUrl === null ? [] : [new URL(publicUrl).hostname])],
      trusts: addressList(trustedProxies),
    },
    secure: publicUrl?.startsWith('https:') === true,
    ...(publicUrl === null || oidc.length === 0 ? {} : { oidc: { publicUrl, open: once(openOidc) } }),
    ...(bearer.length === 0 ? {} : { recogniseJwt: recogniser() }),
  };

  async function openOidc() {
    const { createOidcSignIn } = await import('../engine/access/oidc.ts');
    const { oidcClient } = await import('../drivers/access/openid/oidc-client.ts');
    const client = oidcClient({ now: () => performance.now() });
    return createOidcSignIn({ ...(await access()), elsewhere, client, sealer: fileSealer(sealedWith), log });
  }

  function recogniser(): NonNullable<ApiDeps['recogniseJwt']> {
    const load = once(async () => {
      const { tokenVerifier } = await import('../drivers/access/openid/token-verifier.ts');
      const { recogniseJwt } = await import('../engine/access/recognise-jwt.ts');
      const tokens = tokenVerifier({ issuers: bearer, now: Date.now });
      return async (text: string) => recogniseJwt({ store: (await access()).store, tokens }, text);
    });
    return async (text) => (await load())(text);
  }
}

/** A failure, such as of a store that is away, is no reason not to try again. */
function once<T>(load: () => Promise<T>): () => Promise<T> {
  let loaded: Promise<T> | null = null;
  return () => {
    loaded ??= load().catch((error: unknown) => {
      loaded = null;
      throw error;
    });
    return loaded;
  };
}
