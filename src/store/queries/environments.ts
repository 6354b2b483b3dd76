import type { Kysely, Selectable } from 'kysely';
import { z } from 'zod';
import type { EnvironmentRecord } from '../../ports/store.ts';
import type { Database } from '../rows/database.ts';
import { formatJson, parseJson, parseValue } from '../rows/parse.ts';
import { projectSchema } from '../rows/project.ts';

const wantedSchema = z.enum(['up', 'down']);

export async function saveEnvironment(db: Kysely<Database>, record: EnvironmentRecord): Promise<void> {
  const { project, environment, wanted } = record;
  const config = formatJson(projectSchema, record.config, nameOf(record));
  await db
    .insertInto('environments')
    .values({ project, environment, wanted, config, updated_at: record.updatedAt })
    .onConflict((conflict) =>
      conflict.columns(['project', 'environment']).doUpdateSet({ wanted, config, updated_at: record.updatedAt }),
    )
    .execute();
}

export async function findEnvironment(db: Kysely<Database>, project: string, environment: string) {
  const row = await db
    .selectFrom('environments')
    .selectAll()
    .where('project', '=', project)
    .where('environment', '=', environment)
    .executeTakeFirst();
  return row === undefined ? null : read(row);
}

export async function allEnvironments(db: Kysely<Database>): Promise<EnvironmentRecord[]> {
  const rows = await db.selectFrom('environments').selectAll().orderBy('project').orderBy('environment').execute();
  return rows.map(read);
}

function read(row: Selectable<Database['environments']>): EnvironmentRecord {
  const name = nameOf(row);
  return {
    project: row.project,
    environment: row.environment,
    config: parseJson(projectSchema, row.config, name),
    wanted: parseValue(wantedSchema, row.wanted, name),
    updatedAt: row.updated_at,
  };
}

const nameOf = (row: { project: string; environment: string }) => ({
  table: 'environments',
  id: `${row.project}/${row.environment}`,
});
