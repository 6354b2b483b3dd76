import { mayHelp } from '../../domain/access/granting.ts';
import { type Identity, personOf } from '../../domain/access/identity.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import type { User } from '../../ports/people-store.ts';
import type { AccessDeps } from './deps.ts';
import { type Purpose, shownLink, type ShownLink } from './shown-link.ts';
import { memberOf } from './people.ts';
import { userUnknown } from '../../ports/access-refusals.ts';
import { forbidden } from './refusals.ts';

interface Whom {
  readonly organization: string;
  readonly user: string;
}

/** Throws `member-unknown`, `user-unknown`, `user-disabled`, `forbidden`. */
export async function linkFor(deps: AccessDeps, who: Identity, whom: Whom, purpose: Purpose): Promise<ShownLink> {
  const user = await whomToHelp(deps, who, whom);
  if (user.disabledAt !== null) throw userDisabled(user.login);
  return shownLink(deps, user.id, { purpose, by: who.name });
}

/** Whatever there was of one. Throws `member-unknown`, `user-unknown`, `user-disabled`, `forbidden`. */
export async function dropSecondFactor(deps: AccessDeps, who: Identity, whom: Whom): Promise<void> {
  const user = await whomToHelp(deps, who, whom);
  await deps.store.setTotp(user.id, null);
}

/** Of the organization; with the local token also somebody who is in none. */
async function whomToHelp(deps: AccessDeps, who: Identity, { organization, user: id }: Whom): Promise<User> {
  if (who.kind === 'local') {
    const user = await deps.store.user(id);
    if (user === null) throw userUnknown(id);
    return user;
  }
  const { user } = await memberOf(deps, organization, id);
  await requireHelper(deps, who, user);
  return user;
}

/** Throws `forbidden` for whoever may not come in as that user; `user-disabled`. */
export async function requireHelper({ store }: Pick<AccessDeps, 'store'>, who: Identity, user: User): Promise<void> {
  if (who.kind === 'local') return;
  const standing = await store.standing(user.id);
  // What they would have again once they are let in is not known here, and so not who may all of it.
  if (standing === null) throw userDisabled(user.login);
  const { allowed, reason } = mayHelp(who, personOf(standing));
  if (!allowed) throw forbidden(`${who.name} may not give ${user.login} another way in`, reason);
}

const userDisabled = (login: string): EvenkeelError =>
  new EvenkeelError({
    code: 'user-disabled',
    what: `${login} is shut out, and no link lets them in.`,
    next: 'Whoever runs the server can let them in again.',
  });
