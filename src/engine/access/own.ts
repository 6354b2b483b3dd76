import { passwordFault } from '../../domain/access/passwords.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import type { UserProofs } from '../../ports/people-store.ts';
import type { Session } from '../../ports/sign-in-store.ts';
import type { AccessDeps, Caller } from './deps.ts';
import { countTry } from './limits.ts';
import { codeCounts } from './sign-in.ts';

/** So long after a sign-in one is taken to sit there oneself, ms: what would let a thief stay is asked for again later. */
const FRESH_MS = 60 * 60_000;

/**
 * Chooses a password; all other sessions and links of the user end. `current` is needed by who has one, but for a session
 * that has just been begun by a link. Throws `password-weak`, `sign-in-refused`, `sign-in-limited`, `sign-in-stale`.
 */
export async function choosePassword(
  deps: AccessDeps,
  session: Session,
  { current, password }: { current: string | null; password: string },
  caller: Caller,
): Promise<{ ended: number }> {
  const { store, credentials, clock, rule } = deps;
  const proofs = await proofsOf(deps, session);
  const fault = passwordFault(password, proofs.user.login);
  if (fault !== null)
    throw new EvenkeelError({
      code: 'password-weak',
      what: 'this password is too easy to guess',
      why: fault,
      next: 'take a longer one: a few words that have nothing to do with each other do well',
    });
  if (proofs.passwordHash !== null && session.method !== 'link') await requirePassword(deps, proofs, current, caller);
  else requireFresh(session, clock.now());
  const others = (await store.sessions(session.user, clock.now(), rule)).length - 1;
  await store.setPassword(session.user, await credentials.hashPassword(password), clock.now(), session.hash);
  return { ended: Math.max(0, others) };
}

async function requirePassword(
  deps: AccessDeps,
  { user, passwordHash }: UserProofs,
  current: string | null,
  caller: Caller,
): Promise<void> {
  const attempt = await countTry(deps, { login: user.login }, caller);
  const { matches } = await deps.credentials.checkPassword(current ?? '', passwordHash);
  if (!matches)
    throw new EvenkeelError({
      code: 'sign-in-refused',
      what: 'the present password is wrong',
      next: 'try again, or sign in with a link that an admin makes for you',
    });
  await attempt.succeeded();
}

/** Throws `second-factor-exists`, `sign-in-stale`. */
export async function beginSecondFactor(deps: AccessDeps, session: Session): Promise<{ secret: string; uri: string }> {
  requireFresh(session, deps.clock.now());
  const { user } = await proofsOf(deps, session);
  const { secret, sealed, uri } = await deps.credentials.newTotp(user);
  if (await deps.store.setTotp(user.id, sealed)) return { secret, uri };
  throw new EvenkeelError({
    code: 'second-factor-exists',
    what: 'there is a second factor already',
    next: 'remove it with one of its codes first',
  });
}

/** Throws `sign-in-refused` for a code that does not count, `sign-in-limited`. */
export async function confirmSecondFactor(
  deps: AccessDeps,
  session: Session,
  code: string,
  caller: Caller,
): Promise<void> {
  const attempt = await countTry(deps, { secondFactorOf: session.user }, caller);
  if (!(await codeCounts(deps, await proofsOf(deps, session), code))) throw wrongCode();
  await attempt.succeeded();
}

/** As `confirmSecondFactor`. */
export async function removeSecondFactor(
  deps: AccessDeps,
  session: Session,
  code: string,
  caller: Caller,
): Promise<void> {
  await confirmSecondFactor(deps, session, code, caller);
  await deps.store.setTotp(session.user, null);
}

async function proofsOf({ store }: AccessDeps, { user }: Session): Promise<UserProofs> {
  const proofs = await store.proofs({ id: user });
  if (proofs !== null) return proofs;
  throw new EvenkeelError({ code: 'unauthorized', what: 'you are not signed in', next: 'sign in' });
}

/** Throws `sign-in-stale`. */
export function requireFresh({ createdAt }: Session, now: number): void {
  if (now - createdAt < FRESH_MS) return;
  throw new EvenkeelError({
    code: 'sign-in-stale',
    what: 'you signed in too long ago for this',
    why: 'whoever finds a screen open shall not be able to stay',
    next: 'sign out, sign in again, and do it then',
  });
}

const wrongCode = (): EvenkeelError =>
  new EvenkeelError({
    code: 'sign-in-refused',
    what: 'this code does not count',
    why: 'it is wrong, was used already, or the clocks of the two devices differ',
    next: 'take the next one that the app shows',
  });
