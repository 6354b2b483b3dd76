import { EVERYTHING } from '../../domain/access/patterns.ts';
import { DEFAULT_ORGANIZATION } from '../../domain/access/organization.ts';
import { normalLogin } from '../../domain/access/passwords.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import type { User } from '../../ports/people-store.ts';
import type { SignInLink } from '../../ports/sign-in-store.ts';
import type { AccessDeps } from './deps.ts';

/** Of a link that whoever asked for it opens at once, ms. */
export const OWN_LINK_MS = 15 * 60_000;

/** A link that signs a user in once, in the place of an earlier one. `text` is shown once; in the store lies its hash. */
export async function makeLink(
  { store, credentials, clock }: Pick<AccessDeps, 'store' | 'credentials' | 'clock'>,
  { user, purpose, by, lastsMs }: { user: string; purpose: SignInLink['purpose']; by: string; lastsMs: number },
): Promise<{ text: string; expiresAt: number }> {
  const { text, hash } = credentials.newSecret();
  const createdAt = clock.now();
  const expiresAt = createdAt + lastsMs;
  await store.addLink({ hash, user, purpose, createdBy: by, createdAt, expiresAt });
  return { text, expiresAt };
}

/** Where the dashboard takes it; behind the #, which no browser sends to a server. */
export const linkPath = (text: string): string => `/sign-in#link=${text}`;

/**
 * The user of whoever sits at the machine itself. They own everything there already, so who is not known yet becomes a user
 * who runs the server and is admin of the default organization.
 */
export async function userAtTheMachine(deps: AccessDeps, person: string): Promise<{ user: User; created: boolean }> {
  const { store, clock, newId } = deps;
  const login = normalLogin(person).slice(0, 200) || 'operator';
  const known = await store.proofs({ login });
  if (known !== null) return { user: enabled(known.user), created: false };
  const now = clock.now();
  const id = newId('us');
  const user = { id, login, name: person, runsServer: true, createdAt: now };
  const grantId = newId('gr');
  const by = `local:${person}`;
  const first = await store.addFirstUser(user, { id: grantId, by });
  if (!first) {
    await store.addUser(user);
    await store.addMember(DEFAULT_ORGANIZATION, id, now);
    await store.addGrant({
      id: grantId,
      organization: DEFAULT_ORGANIZATION,
      user: id,
      role: 'admin',
      project: EVERYTHING,
      environment: EVERYTHING,
      grantedBy: by,
      grantedAt: now,
    });
  }
  return { user: (await store.user(id)) ?? gone(login), created: true };
}

/** Throws `user-unknown`, or `user-disabled`. */
export async function userByLogin({ store }: Pick<AccessDeps, 'store'>, login: string): Promise<User> {
  const proofs = await store.proofs({ login: normalLogin(login) });
  return proofs === null ? gone(login) : enabled(proofs.user);
}

function enabled(user: User): User {
  if (user.disabledAt === null) return user;
  throw new EvenkeelError({
    code: 'user-disabled',
    what: `${user.login} is disabled and cannot sign in`,
    next: 'enable them first: evenkeel people enable',
  });
}

function gone(login: string): never {
  throw new EvenkeelError({
    code: 'user-unknown',
    what: `nobody signs in as ${login}`,
    next: 'evenkeel people shows who there is',
  });
}
