import { type Identity, personOf, type TokenScope, userOf } from '../../domain/access/identity.ts';
import { may } from '../../domain/access/may.ts';
import { isOwn, mayRevoke, scopeOfNew } from '../../domain/access/tokens.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import type { User } from '../../ports/people-store.ts';
import type { ApiToken } from '../../ports/sign-in-store.ts';
import type { AccessDeps } from './deps.ts';
import { tokenUnknown, userUnknown } from '../../ports/access-refusals.ts';
import { forbidden } from './refusals.ts';

/** A token with what a list says beside it. */
export interface ListedToken {
  readonly token: ApiToken;
  readonly owner: Pick<User, 'id' | 'login'>;
  readonly mayRevoke: boolean;
}

export interface WantedToken {
  readonly name: string;
  readonly scope: TokenScope;
  readonly expiresAt: number | null;
  /** The sign-in name of whose it is to be; null: of whoever asks. */
  readonly login: string | null;
}

/**
 * `text` is shown once; in the store lies its hash. Throws `token-needs-user`, `forbidden`, `user-unknown`,
 * `token-expired` (when it was to end in the past), `token-name-taken`.
 */
export async function createToken(
  deps: AccessDeps,
  who: Identity,
  { name, scope: wanted, expiresAt, login }: WantedToken,
): Promise<ListedToken & { text: string }> {
  const { store, credentials, clock, newId } = deps;
  const owner = await ownerOfNew(deps, who, login);
  const standing = await store.standing(owner.id);
  if (standing === null) throw userUnknown(owner.login);
  const decided = scopeOfNew(who, personOf(standing), wanted);
  if (!('scope' in decided)) throw forbidden(`${who.name} may not make such a token`, decided.reason);
  const now = clock.now();
  if (expiresAt !== null && expiresAt <= now)
    throw new EvenkeelError({
      code: 'token-expired',
      what: 'The token would have ended already.',
      next: 'Choose a time to come.',
    });
  const { text, hash, prefix } = credentials.newApiToken();
  const token: ApiToken = {
    id: newId('to'),
    hash,
    prefix,
    name,
    user: owner.id,
    madeBy: who.kind === 'token' ? who.id : null,
    scope: decided.scope,
    createdAt: now,
    expiresAt: earlier(expiresAt, await endOf(deps, who)),
    usedAt: null,
    usedFrom: null,
  };
  await store.addToken(token);
  return { token, owner, text, mayRevoke: true };
}

async function ownerOfNew(deps: AccessDeps, who: Identity, login: string | null): Promise<User> {
  const own = userOf(who);
  if (who.kind === 'local' && login !== null) return userByLogin(deps, login);
  if (own === null)
    throw new EvenkeelError({
      code: 'token-needs-user',
      what: 'A token belongs to a user, and may what that user may.',
      why:
        who.kind === 'local'
          ? 'you ask with the token of the server, which is nobody’s'
          : 'you ask with the token of an issuer, and no user here signs in with that account',
      next:
        who.kind === 'local'
          ? 'Say whose it is: evenkeel tokens create NAME --user LOGIN'
          : 'Sign in as a user and make it there, or go on using the token of the issuer.',
    });
  const mine = await deps.store.user(own);
  if (mine === null) throw userUnknown(own);
  if (login === null || login === mine.login) return mine;
  throw forbidden(`${who.name} may not make a token for ${login}`, 'a token is made by its owner, or on the server');
}

async function userByLogin({ store }: Pick<AccessDeps, 'store'>, login: string): Promise<User> {
  const proofs = await store.proofs({ login });
  if (proofs === null) throw userUnknown(login);
  return proofs.user;
}

/** What a token makes does not outlive it. */
async function endOf({ store }: Pick<AccessDeps, 'store'>, who: Identity): Promise<number | null> {
  return who.kind === 'token' ? ((await store.tokenById(who.id))?.expiresAt ?? null) : null;
}

const earlier = (one: number | null, other: number | null): number | null =>
  one === null || other === null ? (one ?? other) : Math.min(one, other);

/** One's own; with the local token those of one user (by login), or of all. Throws `forbidden`, `user-unknown`. */
export async function ownTokens(deps: AccessDeps, who: Identity, login: string | null): Promise<ListedToken[]> {
  const { store } = deps;
  if (who.kind !== 'local') {
    const own = userOf(who);
    const user = own === null ? null : await store.user(own);
    if (login !== null && login !== user?.login)
      throw forbidden(`${who.name} may not look at the tokens of ${login}`, 'everybody sees their own');
    if (user === null) return [];
    const mine = (await store.tokens({ user: user.id })).filter((token) => isOwn(who, token));
    return mine.map((token) => ({ token, owner: user, mayRevoke: true }));
  }
  const found: ListedToken[] = [];
  for (const owner of login === null ? await store.users() : [await userByLogin(deps, login)])
    for (const token of await store.tokens({ user: owner.id })) found.push({ token, owner, mayRevoke: true });
  return found;
}

/** Those that can do something there. Where one is used from is shown only to whoever could end it. */
export async function tokensOf(
  { store }: Pick<AccessDeps, 'store'>,
  who: Identity,
  organization: string,
): Promise<ListedToken[]> {
  const found: ListedToken[] = [];
  for (const token of await store.tokens({ organization })) {
    const owner = await store.user(token.user);
    if (owner === null) continue;
    const { allowed } = mayRevoke(who, token, await organizationsOfOwner(store, token));
    found.push({ token: allowed ? token : { ...token, usedFrom: null }, owner, mayRevoke: allowed });
  }
  return found;
}

/** With those that were made with it. Throws `token-unknown` also for one that somebody has no business to know of. */
export async function revokeToken({ store }: Pick<AccessDeps, 'store'>, who: Identity, id: string): Promise<void> {
  const token = await store.tokenById(id);
  if (token === null) throw tokenUnknown(id);
  const organizations = await organizationsOfOwner(store, token);
  const { allowed, reason } = mayRevoke(who, token, organizations);
  if (!allowed) {
    const listed = organizations.some(
      (organization) => may(who, 'tokens:manage', { on: 'organization', organization }).allowed,
    );
    throw listed ? forbidden(`${who.name} may not end this token`, reason) : tokenUnknown(id);
  }
  if (!(await store.revokeToken(id))) throw tokenUnknown(id);
}

/** Of one for everything of its owner. */
async function organizationsOfOwner(store: AccessDeps['store'], token: ApiToken): Promise<readonly string[]> {
  if (token.scope.organization !== null) return [token.scope.organization];
  const found: string[] = [];
  for (const { id } of await store.organizations())
    if ((await store.members(id)).some(({ user }) => user.id === token.user)) found.push(id);
  return found;
}
