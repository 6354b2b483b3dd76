import { normalLogin } from '../../domain/access/passwords.ts';
import { PENDING_MS } from '../../domain/access/sessions.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import type { User, UserProofs } from '../../ports/people-store.ts';
import type { Session, SignedInBy, SignInLink } from '../../ports/sign-in-store.ts';
import type { AccessDeps, Caller } from './deps.ts';
import { countTry } from './limits.ts';

/** `cookie` is shown once; in the store lies its hash. */
export type SignedIn =
  | { readonly state: 'signed-in'; readonly cookie: string; readonly session: Session; readonly user: User }
  /** The cookie is good for `giveSecondFactor` and nothing else. */
  | { readonly state: 'second-factor'; readonly cookie: string; readonly user: User };

/** Throws `sign-in-refused` (whatever was wrong), `sign-in-limited`, `sign-in-busy`, `sign-in-outdated`. */
export async function signInWithPassword(
  deps: AccessDeps,
  given: { login: string; password: string },
  caller: Caller,
): Promise<SignedIn> {
  const { store, credentials } = deps;
  const attempt = await countTry(deps, { login: given.login }, caller);
  const proofs = await store.proofs({ login: normalLogin(given.login) });
  const hash = proofs?.passwordHash ?? null;
  // Also for nobody: it takes as long.
  const { matches, outdated } = await credentials.checkPassword(given.password, hash);
  if (proofs === null || hash === null || !matches || proofs.user.disabledAt !== null) throw refused();
  // The hash is better with the next one; signing in does not depend on it.
  if (outdated) await store.upgradePassword(proofs.user.id, hash, await credentials.hashPassword(given.password));
  const signedIn = await begin(deps, proofs, { method: 'password', passwordAt: proofs.passwordAt }, caller);
  await attempt.succeeded();
  return signedIn;
}

/** The second step. Throws `sign-in-refused`, `sign-in-limited`, `sign-in-outdated`; `sealed-unreadable` when the key is lost. */
export async function giveSecondFactor(deps: AccessDeps, code: string, caller: Caller): Promise<SignedIn> {
  const { store, credentials, clock } = deps;
  const hash = caller.cookie === null ? null : credentials.hashOf(caller.cookie);
  const pending = hash === null ? null : await store.pendingSession(hash, clock.now());
  if (pending === null) throw refused('The sign-in took too long, or has not begun here. Begin again.');
  const attempt = await countTry(deps, { secondFactorOf: pending.user }, caller);
  const proofs = await store.proofs({ id: pending.user });
  if (proofs === null || !(await codeCounts(deps, proofs, code))) throw refused();
  const signedIn = await open(deps, proofs.user, { method: pending.method, completes: true }, caller);
  await attempt.succeeded();
  return signedIn;
}

/** Uses the link up. Throws `sign-in-refused` for one that was used, is too old or never was. */
export async function signInByLink(
  deps: AccessDeps,
  text: string,
  caller: Caller,
): Promise<SignedIn & { purpose: SignInLink['purpose'] }> {
  const { store, credentials, clock } = deps;
  const link = await store.takeLink(credentials.hashOf(text), clock.now());
  if (link === null) throw refused('The link was used already, or is too old. Ask for a new one.');
  const proofs = await store.proofs({ id: link.user });
  if (proofs === null) throw refused();
  return { ...(await begin(deps, proofs, { method: 'link' }, caller)), purpose: link.purpose };
}

/**
 * With an account elsewhere that was proven by whoever calls this. Its issuer has asked for what it thinks is enough, so no
 * second factor is asked for here. Throws `sign-in-refused` for an account that belongs to nobody here.
 */
export async function signInByIdentity(
  deps: AccessDeps,
  { issuer, subject }: { issuer: string; subject: string },
  caller: Caller,
): Promise<SignedIn> {
  const id = await deps.store.userOfIdentity(issuer, subject);
  const user = id === null ? null : await deps.store.user(id);
  if (user === null || user.disabledAt !== null)
    throw refused('Nobody here signs in with this account. Ask an admin for it.');
  return open(deps, user, { method: 'oidc' }, caller);
}

/** Whether it is a code of the user's second factor, confirmed or to be confirmed by it. It counts once. */
export async function codeCounts(
  { store, credentials, clock }: AccessDeps,
  { user, totp }: UserProofs,
  code: string,
): Promise<boolean> {
  if (totp === null) return false;
  const step = await credentials.checkTotp(user, code, totp, clock.now());
  return step !== null && store.useTotpStep(user.id, totp.sealed, step);
}

type By = { method: Session['method'] } & Omit<SignedInBy, 'replaces'>;

async function begin(deps: AccessDeps, { user, totp }: UserProofs, by: By, caller: Caller): Promise<SignedIn> {
  if (totp?.confirmed !== true) return open(deps, user, by, caller);
  const { cookie, session } = made(deps, user, by, caller, PENDING_MS);
  await deps.store.addPendingSession(session, replacing(deps, by, caller));
  return { state: 'second-factor', cookie, user };
}

async function open(deps: AccessDeps, user: User, by: By, caller: Caller): Promise<SignedIn> {
  const { cookie, session } = made(deps, user, by, caller, deps.rule.absoluteMs);
  await deps.store.addSession(session, replacing(deps, by, caller));
  return { state: 'signed-in', cookie, session, user };
}

function replacing({ credentials }: AccessDeps, { method: _, ...by }: By, { cookie }: Caller): SignedInBy {
  return { ...by, replaces: cookie === null ? null : credentials.hashOf(cookie) };
}

function made(deps: AccessDeps, user: User, by: By, caller: Caller, lastsMs: number) {
  const now = deps.clock.now();
  const { text, hash } = deps.credentials.newSecret();
  const { address } = caller;
  const agent = caller.agent?.slice(0, 200) ?? null;
  const times = { createdAt: now, seenAt: now, expiresAt: now + lastsMs };
  const session: Session = { id: deps.newId('se'), hash, user: user.id, method: by.method, address, agent, ...times };
  return { cookie: text, session };
}

/** One answer for everything that can be wrong: it tells nobody which names there are. */
function refused(why = 'Name, password or code is wrong.'): EvenkeelError {
  return new EvenkeelError({
    code: 'sign-in-refused',
    what: 'You could not be signed in.',
    why,
    next: 'Try again; an admin, or whoever runs the server, can give you a link to sign in with.',
  });
}
