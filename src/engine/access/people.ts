import { mayGrant, mayHelp, mayRemove } from '../../domain/access/granting.ts';
import { type Grant, type HeldGrant, type Identity, personOf } from '../../domain/access/identity.ts';
import { findRole, type Role } from '../../domain/access/roles.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import type { Keep, Member, StoredGrant, User } from '../../ports/people-store.ts';
import type { AccessDeps } from './deps.ts';
import { requireOrganization } from './organizations.ts';
import { shownLink, type ShownLink } from './shown-link.ts';
import { forbidden, memberUnknown, roleUnknown } from './refusals.ts';

/** What must be left when somebody takes something away; who has the local token may take everything. */
export const keptFrom = (who: Identity): Keep | undefined => (who.kind === 'local' ? undefined : 'somebody-in-charge');

/** With what the roles give; a grant of a role that is not there gives nothing. */
export const heldGrant = <G extends Grant>(grant: G, roles: readonly Role[]): G & HeldGrant => ({
  ...grant,
  permissions: findRole(grant.role, roles)?.permissions ?? [],
});

/**
 * Makes somebody a member, a new user where nobody signs in by that name, with a link for them. All grants are looked at
 * before anything is written; asked again it goes on where it ended. Throws `forbidden`, `role-unknown`.
 */
export async function invite(
  deps: AccessDeps,
  who: Identity,
  organization: string,
  person: { login: string; name?: string | undefined; grants: readonly Grant[] },
): Promise<{ user: User; link: ShownLink | null }> {
  const { store, clock, newId } = deps;
  await requireOrganization(deps, organization);
  const roles = await store.roles(organization);
  for (const grant of person.grants) refuseUnlessGrantable(who, organization, grant, roles);
  const now = clock.now();
  let user = (await store.proofs({ login: person.login }))?.user ?? null;
  const isNew = user === null;
  if (user === null) {
    const { login, name = login } = person;
    const id = newId('us');
    await store.addUser({ id, login, name, runsServer: false, createdAt: now });
    user = await known(deps, id);
  }
  await store.addMember(organization, user.id, now);
  await store.endLinkOfOthers(user.id, who.name);
  for (const { role, project, environment } of person.grants)
    await store.addGrant({
      id: newId('gr'),
      organization,
      user: user.id,
      role,
      project,
      environment,
      grantedBy: who.name,
      grantedAt: now,
    });
  const waits = isNew || (await waitsForALink(deps, who, user));
  return { user, link: waits ? await shownLink(deps, user.id, { purpose: 'invitation', by: who.name }) : null };
}

/** Who was invited and never came gets another link, from whoever may all that they may. */
async function waitsForALink({ store }: AccessDeps, who: Identity, user: User): Promise<boolean> {
  if (user.signedInAt !== null || user.hasPassword) return false;
  const standing = await store.standing(user.id);
  return standing !== null && mayHelp(who, personOf(standing)).allowed;
}

async function known({ store }: Pick<AccessDeps, 'store'>, id: string): Promise<User> {
  const user = await store.user(id);
  if (user === null) throw new Error(`user ${id} vanished while they were being invited`);
  return user;
}

/** Throws `member-unknown`. */
export async function memberOf(
  { store }: Pick<AccessDeps, 'store'>,
  organization: string,
  user: string,
): Promise<Member> {
  const member = (await store.members(organization)).find((each) => each.user.id === user);
  if (member === undefined) throw memberUnknown(user, organization);
  return member;
}

/** With their grants and their tokens of it. Throws `member-unknown`, `forbidden`, `last-admin`. */
export async function removePerson(deps: AccessDeps, who: Identity, organization: string, user: string): Promise<void> {
  const { store } = deps;
  const [member, roles] = await Promise.all([memberOf(deps, organization, user), store.roles(organization)]);
  const { allowed, reason } = mayRemove(
    who,
    organization,
    member.grants.map((grant) => heldGrant(grant, roles)),
  );
  if (!allowed) throw forbidden(`${who.name} may not remove ${member.user.login}`, reason);
  await store.removeMember(organization, user, keptFrom(who));
}

/** The same one again changes nothing. Throws `member-unknown`, `role-unknown`, `forbidden`. */
export async function grantRole(
  { store, clock, newId }: AccessDeps,
  who: Identity,
  { organization, user }: { organization: string; user: string },
  { role, project, environment }: Grant,
): Promise<StoredGrant> {
  refuseUnlessGrantable(who, organization, { role, project, environment }, await store.roles(organization));
  // Whoever made one could come in as them, who are about to have more than that was allowed for.
  await store.endLinkOfOthers(user, who.name);
  const at = { grantedBy: who.name, grantedAt: clock.now() };
  return store.addGrant({ id: newId('gr'), organization, user, role, project, environment, ...at });
}

/** Throws `grant-unknown`, `forbidden`, `last-admin`. */
export async function takeGrant(
  { store }: AccessDeps,
  who: Identity,
  { organization, user, grant: id }: { organization: string; user: string; grant: string },
): Promise<void> {
  const grant = await store.grant(organization, id);
  if (grant === null || grant.user !== user) throw grantUnknown(id);
  const held = heldGrant(grant, await store.roles(organization));
  const { allowed, reason } = mayGrant(who, organization, held);
  if (!allowed) throw forbidden(`${who.name} may not take ${grant.role} away`, reason);
  if (!(await store.removeGrant(organization, id, keptFrom(who)))) throw grantUnknown(id);
}

function refuseUnlessGrantable(who: Identity, organization: string, grant: Grant, roles: readonly Role[]): void {
  const role = findRole(grant.role, roles);
  if (role === null) throw roleUnknown(grant.role, organization);
  const { allowed, reason } = mayGrant(who, organization, { ...grant, permissions: role.permissions });
  if (!allowed) throw forbidden(`${who.name} may not grant ${grant.role}`, reason);
}

const grantUnknown = (id: string): EvenkeelError =>
  new EvenkeelError({
    code: 'grant-unknown',
    what: `There is no grant ${id} of theirs.`,
    next: 'List the people to see what they were granted.',
  });
