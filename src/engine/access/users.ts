import { type Identity, userOf } from '../../domain/access/identity.ts';
import { runsAll } from '../../domain/access/granting.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import type { User } from '../../ports/people-store.ts';
import type { AccessDeps } from './deps.ts';
import { keptFrom } from './people.ts';
import { userUnknown } from '../../ports/access-refusals.ts';
import { forbidden } from './refusals.ts';

type Deps = Pick<AccessDeps, 'store' | 'clock'>;

/** Every user of the server with the organizations they are members of, by login. */
export async function allUsers({
  store,
}: Pick<Deps, 'store'>): Promise<readonly (User & { organizations: readonly string[] })[]> {
  const [users, organizations] = await Promise.all([store.users(), store.organizations()]);
  const of = new Map<string, string[]>();
  for (const { id } of organizations)
    for (const { user } of await store.members(id)) of.set(user.id, [...(of.get(user.id) ?? []), id]);
  return users.map((user) => ({ ...user, organizations: of.get(user.id) ?? [] }));
}

/** Throws `user-unknown`, `last-runs-server`; `forbidden` for whoever would give what they do not have themselves. */
export async function setRunsServer(
  { store }: Pick<Deps, 'store'>,
  who: Identity,
  id: string,
  runsServer: boolean,
): Promise<User> {
  if (runsServer) {
    // A token may be made for less than its owner may.
    if (!runsAll(who))
      throw forbidden(`${who.name} may not say who runs the server`, 'it gives more than the token is made for');
    await store.endLinkOfOthers(id, who.name);
  }
  await store.setRunsServer(id, runsServer, keptFrom(who));
  return known(store, id);
}

/** Throws `user-unknown`, `last-runs-server`, `yourself`. */
export async function setDisabled({ store, clock }: Deps, who: Identity, id: string, disabled: boolean): Promise<User> {
  const before = await known(store, id);
  // Since when stays known.
  if ((before.disabledAt !== null) === disabled) return before;
  if (disabled) refuseYourself(who, id, 'shut yourself out');
  await store.setDisabled(id, disabled ? clock.now() : null, keptFrom(who));
  return known(store, id);
}

/** Throws `user-unknown`, `last-runs-server`, `last-admin`, `yourself`. */
export async function removeUser({ store }: Pick<Deps, 'store'>, who: Identity, id: string): Promise<void> {
  refuseYourself(who, id, 'remove yourself');
  await store.removeUser(id, keptFrom(who));
}

function refuseYourself(who: Identity, id: string, what: string): void {
  if (userOf(who) !== id) return;
  throw new EvenkeelError({
    code: 'yourself',
    what: `You cannot ${what}.`,
    next: 'Somebody else who runs the server can, and whoever has the token of the server.',
  });
}

async function known(store: Deps['store'], id: string): Promise<User> {
  const user = await store.user(id);
  if (user === null) throw userUnknown(id);
  return user;
}
