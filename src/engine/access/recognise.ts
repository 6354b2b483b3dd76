import { type Identity, type Person, personOf, type TokenHolder } from '../../domain/access/identity.ts';
import type { ApiToken, Session } from '../../ports/sign-in-store.ts';
import type { AccessDeps } from './deps.ts';

/** Who has this cookie; null when it is none of a session that lives. */
export async function recogniseCookie(
  { store, credentials, clock, rule }: Omit<AccessDeps, 'newId'>,
  cookie: string,
): Promise<{ who: Person; session: Session } | null> {
  const now = clock.now();
  const found = await store.session(credentials.hashOf(cookie), now, rule);
  if (found === null) return null;
  await unlessItCannotBe(() => store.sessionSeen(found.session.hash, now));
  return { who: personOf(found.standing), session: found.session };
}

/** Who has this API token; null when it is none that counts. */
export async function recogniseToken(
  { store, credentials, clock }: Pick<AccessDeps, 'store' | 'credentials' | 'clock'>,
  text: string,
  address: string | null,
): Promise<TokenHolder | null> {
  const now = clock.now();
  const found = await store.token(credentials.hashOf(text), now);
  if (found === null) return null;
  await unlessItCannotBe(() => store.tokenUsed(found.token.id, now, address));
  return tokenHolderOf(found.token, personOf(found.standing));
}

function tokenHolderOf({ id, name, scope }: ApiToken, owner: Person): TokenHolder {
  return { kind: 'token', id, name: `${owner.name} (${name})`, owner, scope } satisfies Identity;
}

/** A full disk, or a store that is being written to, is no reason to turn somebody away who could be recognised. */
async function unlessItCannotBe(note: () => Promise<void>): Promise<void> {
  await note().catch(() => undefined);
}
