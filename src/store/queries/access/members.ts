import type { Kysely } from 'kysely';
import { findRole, type Role } from '../../../domain/access/roles.ts';
import type { Keep, Member, StoredGrant } from '../../../ports/people-store.ts';
import { grantRow, readGrant, readRole, readUser } from '../../rows/access.ts';
import type { Database } from '../../rows/database.ts';
import { inCharge } from './in-charge.ts';
import { requireOrganization } from './organizations.ts';
import { userUnknown } from '../../../ports/access-refusals.ts';
import { memberUnknown, roleExists, roleInUse, roleUnknown } from './refusals.ts';

type Db = Kysely<Database>;

export async function listMembers(db: Db, organization: string): Promise<Member[]> {
  const rows = await db
    .selectFrom('memberships')
    .innerJoin('users', 'users.id', 'memberships.user_id')
    .selectAll('users')
    .select('memberships.since')
    .where('memberships.organization', '=', organization)
    .orderBy('users.login')
    .execute();
  const grants = await db
    .selectFrom('grants')
    .selectAll()
    .where('organization', '=', organization)
    .orderBy('role')
    .orderBy('project')
    .orderBy('environment')
    .execute();
  const of = Map.groupBy(grants.map(readGrant), ({ user }) => user);
  return rows.map((row) => ({ user: readUser(row), since: row.since, grants: of.get(row.id) ?? [] }));
}

export async function addMember(db: Db, organization: string, user: string, at: number): Promise<void> {
  await requireOrganization(db, organization);
  const known = await db.selectFrom('users').select('id').where('id', '=', user).executeTakeFirst();
  if (known === undefined) throw userUnknown(user);
  await db
    .insertInto('memberships')
    .values({ organization, user_id: user, since: at })
    .onConflict((conflict) => conflict.columns(['organization', 'user_id']).doNothing())
    .execute();
}

export async function removeMember(db: Db, organization: string, user: string, keep?: Keep): Promise<boolean> {
  const check = await inCharge(db, keep, [organization]);
  const { numDeletedRows } = await db
    .deleteFrom('memberships')
    .where('organization', '=', organization)
    .where('user_id', '=', user)
    .executeTakeFirstOrThrow();
  // They could do nothing any more; but somebody who comes back should not find keys that nobody remembers.
  await db.deleteFrom('tokens').where('organization', '=', organization).where('user_id', '=', user).execute();
  await check();
  return numDeletedRows > 0n;
}

export async function addGrant(db: Db, grant: StoredGrant): Promise<StoredGrant> {
  const { organization, user, role } = grant;
  const member = await db
    .selectFrom('memberships')
    .select('since')
    .where('organization', '=', organization)
    .where('user_id', '=', user)
    .executeTakeFirst();
  if (member === undefined) throw memberUnknown(user, organization);
  if (findRole(role, await listRoles(db, organization)) === null) throw roleUnknown(role, organization);
  const same = ['organization', 'user_id', 'role', 'project', 'environment'] as const;
  const row = grantRow(grant);
  await db
    .insertInto('grants')
    .values(row)
    .onConflict((conflict) => conflict.columns([...same]).doNothing())
    .execute();
  const query = same.reduce(
    (found, column) => found.where(column, '=', row[column]),
    db.selectFrom('grants').selectAll(),
  );
  return readGrant(await query.executeTakeFirstOrThrow());
}

export async function findGrant(db: Db, organization: string, id: string): Promise<StoredGrant | null> {
  const row = await db
    .selectFrom('grants')
    .selectAll()
    .where('organization', '=', organization)
    .where('id', '=', id)
    .executeTakeFirst();
  return row === undefined ? null : readGrant(row);
}

export async function removeGrant(db: Db, organization: string, id: string, keep?: Keep): Promise<boolean> {
  const check = await inCharge(db, keep, [organization]);
  const { numDeletedRows } = await db
    .deleteFrom('grants')
    .where('organization', '=', organization)
    .where('id', '=', id)
    .executeTakeFirstOrThrow();
  await check();
  return numDeletedRows > 0n;
}

export async function listRoles(db: Db, organization: string): Promise<Role[]> {
  const rows = await db
    .selectFrom('roles')
    .selectAll()
    .where('organization', '=', organization)
    .orderBy('name')
    .execute();
  return rows.map(readRole);
}

export async function saveRole(
  db: Db,
  organization: string,
  { name, permissions }: Role,
  { at, is }: { at: number; is: 'new' | 'known' },
  keep?: Keep,
): Promise<void> {
  const check = await inCharge(db, keep, [organization]);
  await requireOrganization(db, organization);
  const known = (await listRoles(db, organization)).some((role) => role.name === name);
  if (known && is === 'new') throw roleExists(name);
  if (!known && is === 'known') throw roleUnknown(name, organization);
  const values = { permissions: JSON.stringify(permissions), updated_at: at };
  await db
    .insertInto('roles')
    .values({ organization, name, ...values })
    .onConflict((conflict) => conflict.columns(['organization', 'name']).doUpdateSet(values))
    .execute();
  await check();
}

export async function removeRole(db: Db, organization: string, name: string): Promise<void> {
  const granted = await db
    .selectFrom('grants')
    .select('id')
    .where('organization', '=', organization)
    .where('role', '=', name)
    .execute();
  if (granted.length > 0) throw roleInUse(name, granted.length);
  const { numDeletedRows } = await db
    .deleteFrom('roles')
    .where('organization', '=', organization)
    .where('name', '=', name)
    .executeTakeFirstOrThrow();
  if (numDeletedRows === 0n) throw roleUnknown(name, organization);
}
