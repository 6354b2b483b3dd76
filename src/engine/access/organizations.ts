import type { Identity } from '../../domain/access/identity.ts';
import { userOf } from '../../domain/access/identity.ts';
import { may, organizationsOf, SERVER } from '../../domain/access/may.ts';
import type { Organization } from '../../domain/access/organization.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import type { AccessDeps } from './deps.ts';
import { organizationUnknown } from '../../ports/access-refusals.ts';

type Deps = Pick<AccessDeps, 'store' | 'clock' | 'newId'>;

/** For whoever is not kept out of it by what they may. Throws `organization-unknown`. */
export async function requireOrganization({ store }: Pick<Deps, 'store'>, id: string): Promise<void> {
  if ((await store.organization(id)) === null) throw organizationUnknown(id);
}

/** Those that somebody may know of, by name. */
export async function knownOrganizations({ store }: Pick<Deps, 'store'>, who: Identity): Promise<Organization[]> {
  const all = await store.organizations();
  const mine = may(who, 'organizations:manage', SERVER).allowed ? null : organizationsOf(who);
  return mine === null ? all : all.filter(({ id }) => mine.includes(id));
}

/**
 * Whoever makes an organization is its first admin: else nobody could invite anybody. The local token needs no grant, and
 * invites whom it likes. Throws `organization-exists`.
 */
export async function createOrganization(
  { store, clock, newId }: Deps,
  who: Identity,
  name: string,
): Promise<Organization> {
  const organization = { id: newId('or'), name, createdAt: clock.now() };
  await store.addOrganization(organization);
  const user = userOf(who);
  if (user === null) return organization;
  await store.addMember(organization.id, user, organization.createdAt);
  await store.addGrant({
    id: newId('gr'),
    organization: organization.id,
    user,
    role: 'admin',
    project: '*',
    environment: '*',
    grantedBy: who.name,
    grantedAt: organization.createdAt,
  });
  return organization;
}

/** Throws `organization-unknown`, `organization-exists`. */
export async function renameOrganization(
  { store }: Pick<Deps, 'store'>,
  id: string,
  name: string,
): Promise<Organization> {
  await store.renameOrganization(id, name);
  const organization = await store.organization(id);
  if (organization === null) throw organizationUnknown(id);
  return organization;
}

/**
 * Answers from where. Throws `project-unknown`, `organization-unknown`; `project-moved` (retryable) when somebody else
 * moves it at the same moment.
 */
export async function moveProject(
  { store, clock }: Pick<Deps, 'store' | 'clock'>,
  project: string,
  to: string,
): Promise<{ from: string; to: string }> {
  const from = await store.organizationOf(project);
  if (from === null)
    throw new EvenkeelError({
      code: 'project-unknown',
      what: `There is no project ${project}.`,
      next: 'It is there once it was deployed.',
    });
  if (await store.moveProject(project, { from, to, at: clock.now() })) return { from, to };
  throw new EvenkeelError({
    code: 'project-moved',
    what: `Somebody else has moved ${project} at this moment.`,
    next: 'Look where it is now, and try again.',
    retryable: true,
    exit: 2,
  });
}
