import { z } from 'zod';
import { admit, type Claims, emailIn, grantedBy, isUnverified, loginIn } from '../../domain/access/claims.ts';
import type { Elsewhere, OidcProvider } from '../../domain/access/elsewhere.ts';
import { personNameSchema } from '../../domain/access/people.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import type { OidcClient, OidcRound } from '../../ports/openid.ts';
import type { User } from '../../ports/people-store.ts';
import type { Sealer } from '../../ports/sealer.ts';
import type { EngineDeps } from '../deps.ts';
import { grantClaimed } from './claimed-grants.ts';
import type { AccessDeps, Caller } from './deps.ts';
import { countAddress } from './limits.ts';
import { requireFresh } from './own.ts';
import { recogniseCookie } from './recognise.ts';
import { type SignedIn, signInByIdentity } from './sign-in.ts';

export interface OidcDeps extends AccessDeps, Pick<EngineDeps, 'log'> {
  readonly elsewhere: Elsewhere;
  readonly client: OidcClient;
  readonly sealer: Sealer;
}

/** What came of a round: a session, or an account that belongs to a user from now on. */
export type OidcOutcome =
  | { readonly as: 'signed-in'; readonly signedIn: SignedIn; readonly provider: OidcProvider; readonly isNew: boolean }
  | { readonly as: 'linked'; readonly user: User; readonly provider: OidcProvider };

export interface OidcSignIn {
  /** For the page on which people choose. */
  readonly providers: readonly Pick<OidcProvider, 'id' | 'name'>[];
  /**
   * `url`: where the browser goes. `kept`: what it brings back, for `OIDC_ROUND_MS`; opaque to it. `link`: not to sign in
   * but to link the account to whoever is signed in by the cookie (`unauthorized` when nobody is, `sign-in-stale` when long since).
   * Throws `provider-unknown`, and as `OidcClient`.
   */
  begin(id: string, ask: { link: boolean }, caller: Caller): Promise<{ readonly url: string; readonly kept: string }>;
  /**
   * Throws `oidc-not-begun` (not by this browser, or too long ago), `oidc-state-wrong`, `oidc-replayed`, `email-unverified`,
   * `identity-taken`, `sign-in-limited`, as `signInByIdentity`, and as `OidcClient`.
   */
  finish(id: string, answer: { query: string; kept: string | null }, caller: Caller): Promise<OidcOutcome>;
}

/** How long somebody may take at the provider, ms. */
export const OIDC_ROUND_MS = 10 * 60_000;

/** Rounds that were finished are remembered until they would be too old; of more of them the latest. */
const MOST_USED = 10_000;

const PLACE = 'oidc/round';

const roundSchema = z.object({
  provider: z.string(),
  state: z.string(),
  nonce: z.string(),
  verifier: z.string(),
  until: z.number(),
  link: z.object({ user: z.string(), session: z.string() }).nullable(),
});
type Round = z.output<typeof roundSchema>;

export function createOidcSignIn(deps: OidcDeps): OidcSignIn {
  const { elsewhere, client, sealer, store, credentials, clock } = deps;
  const used = new Map<string, number>();

  const providerOf = (id: string): OidcProvider => {
    const found = elsewhere.oidc.find((provider) => provider.id === id);
    if (found !== undefined) return found;
    const what = 'There is no such way to sign in here.';
    throw new EvenkeelError({ code: 'provider-unknown', what, next: 'Choose one on the page for signing in.' });
  };
  const redirectUri = (id: string): string => `${elsewhere.publicUrl ?? ''}/sign-in/oidc/${id}/callback`;
  const told = ({ state, nonce, verifier }: Round, id: string): OidcRound => ({
    redirectUri: redirectUri(id),
    state,
    nonce,
    verifier,
  });

  async function begin(id: string, { link }: { link: boolean }, caller: Caller) {
    const provider = providerOf(id);
    const round: Round = {
      provider: id,
      state: credentials.newSecret().text,
      nonce: credentials.newSecret().text,
      verifier: credentials.newSecret().text,
      until: clock.now() + OIDC_ROUND_MS,
      link: link ? await whoLinks(caller) : null,
    };
    const url = await client.begin(provider, told(round, id));
    return { url, kept: await sealer.seal(PLACE, JSON.stringify(round)) };
  }

  async function whoLinks({ cookie }: Caller): Promise<Round['link']> {
    const known = cookie === null ? null : await recogniseCookie(deps, cookie);
    if (known === null)
      throw new EvenkeelError({ code: 'unauthorized', what: 'You are not signed in.', next: 'Sign in, then link.' });
    requireFresh(known.session, clock.now());
    return { user: known.who.id, session: known.session.hash };
  }

  /** The round that an answer belongs to; it is over with that. */
  async function take(id: string, query: string, kept: string | null): Promise<Round> {
    const round = kept === null ? null : await opened(kept);
    const now = clock.now();
    if (round === null || round.provider !== id || round.until <= now || round.until > now + OIDC_ROUND_MS)
      throw notBegun();
    const states = new URLSearchParams(query).getAll('state');
    if (states.length !== 1 || !credentials.sameText(states[0] ?? '', round.state)) throw stateWrong();
    if (used.has(round.state)) throw replayed();
    // Whoever floods this makes room for nothing but codes that the provider does not take twice either.
    for (const [state, until] of used) {
      if (until > now && used.size < MOST_USED) break;
      used.delete(state);
    }
    used.set(round.state, round.until);
    return round;
  }

  async function opened(kept: string): Promise<Round | null> {
    try {
      return roundSchema.parse(JSON.parse(await sealer.open(PLACE, kept)));
    } catch {
      return null; // made up, or sealed with a key that is gone
    }
  }

  async function finish(id: string, { query, kept }: { query: string; kept: string | null }, caller: Caller) {
    const provider = providerOf(id);
    const round = await take(id, query, kept);
    // Each asks the provider something, and is remembered for a while.
    const attempt = await countAddress(deps, caller);
    const claims = await client.finish(provider, told(round, id), query);
    const account = { issuer: provider.issuer, subject: String(claims['sub']) };
    const outcome = await (round.link === null
      ? signIn(provider, account, claims, caller)
      : link(provider, account, round.link));
    await attempt.succeeded();
    return outcome;
  }

  type Account = { readonly issuer: string; readonly subject: string };

  async function signIn(
    provider: OidcProvider,
    account: Account,
    claims: Claims,
    caller: Caller,
  ): Promise<OidcOutcome> {
    let user = await store.userOfIdentity(account.issuer, account.subject);
    const isNew = user === null;
    if (user === null) user = await letIn(provider, account, claims);
    const found = await store.user(user);
    if (found?.disabledAt === null) await grantClaimed(deps, user, provider, grantedBy(claims, provider.roles));
    return { as: 'signed-in', signedIn: await signInByIdentity(deps, account, caller), provider, isNew };
  }

  /** The user whom an account belongs to from now on that was nobody's. */
  async function letIn(provider: OidcProvider, account: Account, claims: Claims): Promise<string> {
    const login = loginIn(claims, provider);
    const proofs = login === null ? null : await store.proofs({ login });
    const admission = admit(
      provider.admits,
      { login, email: emailIn(claims, provider.trustsEmails), unverified: isUnverified(claims, provider.trustsEmails) },
      proofs === null ? null : { arrived: await hasArrived(proofs.user, provider) },
    );
    if (admission.as === 'nobody' || login === null) throw turnedAway(admission);
    const at = clock.now();
    const user = admission.as === 'namesake' && proofs !== null ? proofs.user.id : deps.newId('us');
    if (admission.as === 'newcomer')
      await store.addUser({ id: user, login, name: nameIn(claims) ?? login, runsServer: false, createdAt: at });
    await store.linkIdentity({ ...account, user, linkedAt: at });
    return user;
  }

  async function hasArrived(
    { id, hasPassword, hasSecondFactor, signedInAt, runsServer }: User,
    { issuer }: OidcProvider,
  ): Promise<boolean> {
    if (hasPassword || hasSecondFactor || signedInAt !== null || runsServer) return true;
    // Somebody uses it already, though by programs alone.
    if ((await store.tokens({ user: id })).length > 0) return true;
    return (await store.identities(id)).some((identity) => identity.issuer === issuer);
  }

  async function link(
    provider: OidcProvider,
    account: Account,
    { user, session }: NonNullable<Round['link']>,
  ): Promise<OidcOutcome> {
    const known = await store.session(session, clock.now(), deps.rule);
    const found = known?.standing.id === user ? await store.user(user) : null;
    if (found === null) throw notBegun();
    await store.linkIdentity({ ...account, user, linkedAt: clock.now() });
    return { as: 'linked', user: found, provider };
  }

  return { providers: elsewhere.oidc.map(({ id, name }) => ({ id, name })), begin, finish };
}

/** What somebody is called, for people; null when it is nothing to be shown. */
function nameIn({ name }: Claims): string | null {
  const { success, data } = personNameSchema.safeParse(name);
  return success && !/\p{C}/u.test(data) ? data : null;
}

const BEGIN_AGAIN = 'Begin again on the page for signing in.';

const notBegun = (): EvenkeelError =>
  new EvenkeelError({
    code: 'oidc-not-begun',
    what: 'This sign-in has not begun in this browser, or took too long.',
    next: BEGIN_AGAIN,
  });

const stateWrong = (): EvenkeelError =>
  new EvenkeelError({
    code: 'oidc-state-wrong',
    what: 'The answer of the provider belongs to another sign-in.',
    why: 'Another one was begun in this browser meanwhile, or somebody wants to sign you in as themselves.',
    next: BEGIN_AGAIN,
  });

const replayed = (): EvenkeelError =>
  new EvenkeelError({
    code: 'oidc-replayed',
    what: 'This answer of the provider was used already.',
    next: BEGIN_AGAIN,
  });

const turnedAway = (admission: ReturnType<typeof admit>): EvenkeelError =>
  new EvenkeelError({
    code: admission.as === 'nobody' ? admission.code : 'sign-in-refused',
    what: 'You could not be signed in.',
    ...(admission.as === 'nobody' ? { why: admission.why } : {}),
    next: 'An admin can invite you, or give you a link to sign in with.',
  });
