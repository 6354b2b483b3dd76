import { EvenkeelError } from '../../ports/errors.ts';
import type { OidcIdentity, Session } from '../../ports/sign-in-store.ts';
import type { AccessDeps } from './deps.ts';

/**
 * An account elsewhere is somebody's no more, and all their other sessions end: it may have opened one of them. Throws
 * `account-unknown`, and `last-way-in` for the only way in that is left to its owner.
 */
export async function unlinkAccount(
  { store }: Pick<AccessDeps, 'store'>,
  session: Session,
  { issuer, subject }: Pick<OidcIdentity, 'issuer' | 'subject'>,
): Promise<{ ended: number }> {
  const [user, accounts] = await Promise.all([store.user(session.user), store.identities(session.user)]);
  if (!accounts.some((each) => each.issuer === issuer && each.subject === subject)) throw unknown();
  if (accounts.length === 1 && user?.hasPassword !== true)
    throw new EvenkeelError({
      code: 'last-way-in',
      what: 'you would have no way to sign in any more',
      why: 'you have no password, and this is your only account',
      next: 'choose a password first',
    });
  if (!(await store.unlinkIdentity(session.user, issuer, subject))) throw unknown();
  return { ended: await store.endSessions(session.user, session.hash) };
}

const unknown = (): EvenkeelError =>
  new EvenkeelError({
    code: 'account-unknown',
    what: 'you have linked no such account',
    next: 'look at those that you have linked, in the settings of the dashboard',
  });
