import type { Kysely } from 'kysely';
import { DEFAULT_ORGANIZATION, type Organization } from '../../../domain/access/organization.ts';
import type { Database } from '../../rows/database.ts';
import { organizationUnknown } from '../../../ports/access-refusals.ts';
import { organizationExists, organizationInUse } from './refusals.ts';

type Db = Kysely<Database>;

const read = (row: Database['organizations']): Organization => ({
  id: row.id,
  name: row.name,
  createdAt: row.created_at,
});

export async function listOrganizations(db: Db): Promise<Organization[]> {
  return (await db.selectFrom('organizations').selectAll().orderBy('name').execute()).map(read);
}

export async function findOrganization(db: Db, id: string): Promise<Organization | null> {
  const row = await db.selectFrom('organizations').selectAll().where('id', '=', id).executeTakeFirst();
  return row === undefined ? null : read(row);
}

export async function requireOrganization(db: Db, id: string): Promise<void> {
  if ((await findOrganization(db, id)) === null) throw organizationUnknown(id);
}

export async function addOrganization(db: Db, { id, name, createdAt }: Organization): Promise<void> {
  await refuseTaken(db, name, id);
  if ((await findOrganization(db, id)) !== null) throw organizationExists(id);
  await db.insertInto('organizations').values({ id, name, created_at: createdAt }).execute();
}

export async function renameOrganization(db: Db, id: string, name: string): Promise<void> {
  await requireOrganization(db, id);
  await refuseTaken(db, name, id);
  await db.updateTable('organizations').set({ name }).where('id', '=', id).execute();
}

async function refuseTaken(db: Db, name: string, but: string): Promise<void> {
  const other = await db
    .selectFrom('organizations')
    .select('id')
    .where('name', '=', name)
    .where('id', '<>', but)
    .executeTakeFirst();
  if (other !== undefined) throw organizationExists(name);
}

export async function removeOrganization(db: Db, id: string): Promise<void> {
  await requireOrganization(db, id);
  if (id === DEFAULT_ORGANIZATION) throw organizationInUse(id, 'It is the one that is always there.');
  const owned = await listProjects(db, id);
  if (owned.length > 0)
    throw organizationInUse(id, `It has ${owned.length} projects: ${owned.map(({ project }) => project).join(', ')}.`);
  await db.deleteFrom('organizations').where('id', '=', id).execute();
}

export async function organizationOf(db: Db, project: string): Promise<string | null> {
  const row = await db.selectFrom('projects').select('organization').where('project', '=', project).executeTakeFirst();
  return row?.organization ?? null;
}

export async function listProjects(db: Db, organization?: string) {
  const all = db.selectFrom('projects').select(['project', 'organization']).orderBy('project');
  const rows = await (organization === undefined ? all : all.where('organization', '=', organization)).execute();
  return rows.map((row) => ({ project: row.project, organization: row.organization }));
}

export async function claimProject(db: Db, project: string, organization: string, at: number): Promise<string> {
  await requireOrganization(db, organization);
  await db
    .insertInto('projects')
    .values({ project, organization, since: at })
    .onConflict((conflict) => conflict.column('project').doNothing())
    .execute();
  return (await organizationOf(db, project)) ?? organization;
}

export async function moveProject(
  db: Db,
  project: string,
  { from, to, at }: { from: string; to: string; at: number },
): Promise<boolean> {
  await requireOrganization(db, to);
  const { numUpdatedRows } = await db
    .updateTable('projects')
    .set({ organization: to, since: at })
    .where('project', '=', project)
    .where('organization', '=', from)
    .executeTakeFirstOrThrow();
  return numUpdatedRows > 0n;
}
