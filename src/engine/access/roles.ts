import { mayShapeRole } from '../../domain/access/granting.ts';
import type { Identity } from '../../domain/access/identity.ts';
import type { Permission } from '../../domain/access/permissions.ts';
import type { Role } from '../../domain/access/roles.ts';
import type { AccessDeps } from './deps.ts';
import { keptFrom } from './people.ts';
import { forbidden, roleUnknown } from './refusals.ts';

type Deps = Pick<AccessDeps, 'store' | 'clock'>;

/**
 * Makes a role, or changes it for all who have it: which takes what was in it, and what will be. Throws `forbidden`;
 * `role-exists` or `role-unknown` when somebody else made or removed it at the same moment; `last-admin`.
 */
export async function shapeRole(
  { store, clock }: Deps,
  who: Identity,
  organization: string,
  { name, permissions }: Role,
): Promise<Role> {
  const former = await formerRole(store, organization, name);
  refuseUnlessShapable(who, organization, name, [...(former?.permissions ?? []), ...permissions]);
  const role = { name, permissions: [...new Set(permissions)].toSorted() };
  await store.saveRole(organization, role, clock.now(), former === null ? 'new' : 'known', keptFrom(who));
  return role;
}

/** Throws `role-unknown`, `role-in-use`, `forbidden`. */
export async function dropRole(
  { store }: Pick<Deps, 'store'>,
  who: Identity,
  organization: string,
  name: string,
): Promise<void> {
  const former = await formerRole(store, organization, name);
  if (former === null) throw roleUnknown(name, organization);
  refuseUnlessShapable(who, organization, name, former.permissions);
  await store.removeRole(organization, name);
}

async function formerRole(store: Deps['store'], organization: string, name: string): Promise<Role | null> {
  return (await store.roles(organization)).find((role) => role.name === name) ?? null;
}

function refuseUnlessShapable(
  who: Identity,
  organization: string,
  name: string,
  permissions: readonly Permission[],
): void {
  const { allowed, reason } = mayShapeRole(who, organization, permissions);
  if (!allowed) throw forbidden(`${who.name} may not shape the role ${name}`, reason);
}
