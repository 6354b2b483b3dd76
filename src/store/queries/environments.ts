import type { Kysely, Selectable } from 'kysely';
import { z } from 'zod';
import { deepFreeze } from '../../lib/deep-freeze.ts';
import type { Listen, Project } from '../../domain/project/project.ts';
import type { EnvironmentRecord, ListenChange } from '../../ports/store.ts';
import type { Database } from '../rows/database.ts';
import { formatJson, parseJson, parseValue, type RowName } from '../rows/parse.ts';
import { projectSchema } from '../rows/project.ts';

const wantedSchema = z.enum(['up', 'down']);

export async function saveEnvironment(
  db: Kysely<Database>,
  record: EnvironmentRecord,
  options: { keepListen: boolean } = { keepListen: false },
): Promise<void> {
  const { project, environment, wanted } = record;
  const known = options.keepListen ? await findEnvironment(db, project, environment) : null;
  const kept = known === null ? record.config : withListen(record.config, known.config.environment);
  const config = formatJson(projectSchema, kept, nameOf(record));
  await db
    .insertInto('environments')
    .values({ project, environment, wanted, config, updated_at: record.updatedAt })
    .onConflict((conflict) =>
      conflict.columns(['project', 'environment']).doUpdateSet({ wanted, config, updated_at: record.updatedAt }),
    )
    .execute();
}

export async function moveListen(
  db: Kysely<Database>,
  scope: { project: string; environment: string },
  { from, to }: ListenChange,
): Promise<void> {
  const record = await findEnvironment(db, scope.project, scope.environment);
  if (record === null) return;
  const { port, bind } = record.config.environment;
  if (from !== null && (from.port !== port || from.bind !== bind)) return;
  await saveEnvironment(db, { ...record, config: withListen(record.config, to) });
}

function withListen(config: Project, { port, bind }: Listen): Project {
  return { ...config, environment: { ...config.environment, port, bind } };
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
    config: configOf(row.config, name),
    wanted: parseValue(wantedSchema, row.wanted, name),
    updatedAt: row.updated_at,
  };
}

/**
 * What was read last of each environment. Its text is asked for with every question to a driver, and for forty services
 * it takes a millisecond or more to understand; nearly always it is the one of before.
 */
const known = new Map<string, { text: string; config: Project }>();
const MOST_KNOWN = 100;

/** Frozen, since whoever reads it next gets the very same. */
function configOf(text: string, name: RowName): Project {
  const before = known.get(name.id);
  if (before?.text === text) return before.config;
  const config = deepFreeze(parseJson(projectSchema, text, name));
  if (known.size >= MOST_KNOWN) known.clear();
  known.set(name.id, { text, config });
  return config;
}

const nameOf = (row: { project: string; environment: string }) => ({
  table: 'environments',
  id: `${row.project}/${row.environment}`,
});
