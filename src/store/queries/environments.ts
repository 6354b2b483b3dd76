import { createHash } from 'node:crypto';
import type { Kysely } from 'kysely';
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
  const config = formatJson(projectSchema, kept, idOf(record));
  const written = { wanted, config, config_digest: digestOf(config), updated_at: record.updatedAt };
  await db
    .insertInto('environments')
    .values({ project, environment, ...written })
    .onConflict((conflict) => conflict.columns(['project', 'environment']).doUpdateSet(written))
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

/**
 * What was read last of each environment. It is asked for with every question to a driver, and of forty services the text
 * is hundreds of kilobytes, which take milliseconds to understand: nearly always it is the one of before, and stays where
 * it is.
 */
const known = new Map<string, { digest: string; config: Project }>();
const MOST_KNOWN = 100;

export async function findEnvironment(
  db: Kysely<Database>,
  project: string,
  environment: string,
): Promise<EnvironmentRecord | null> {
  const before = known.get(idOf({ project, environment }).id);
  const row = await db
    .selectFrom('environments')
    .select(['wanted', 'updated_at', 'config_digest'])
    .select((eb) =>
      eb
        .case()
        .when('config_digest', '=', before?.digest ?? NO_DIGEST)
        .then(null)
        .else(eb.ref('config'))
        .end()
        .as('config'),
    )
    .where('project', '=', project)
    .where('environment', '=', environment)
    .executeTakeFirst();
  if (row === undefined) return null;
  const name = idOf({ project, environment });
  return {
    project,
    environment,
    config: row.config === null && before !== undefined ? before.config : configOf(row.config ?? '', name),
    wanted: parseValue(wantedSchema, row.wanted, name),
    updatedAt: row.updated_at,
  };
}

export async function allEnvironments(db: Kysely<Database>): Promise<EnvironmentRecord[]> {
  const rows = await db
    .selectFrom('environments')
    .select(['project', 'environment'])
    .orderBy('project')
    .orderBy('environment')
    .execute();
  const records: EnvironmentRecord[] = [];
  for (const { project, environment } of rows) {
    const record = await findEnvironment(db, project, environment);
    if (record !== null) records.push(record);
  }
  return records;
}

/** Frozen, since whoever reads it next gets the very same. */
function configOf(text: string, name: RowName): Project {
  const config = deepFreeze(parseJson(projectSchema, text, name));
  if (known.size >= MOST_KNOWN) known.clear();
  known.set(name.id, { digest: digestOf(text), config });
  return config;
}

/** No text has it. */
const NO_DIGEST = '-';

const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex');

const idOf = (row: { project: string; environment: string }): RowName => ({
  table: 'environments',
  id: `${row.project}/${row.environment}`,
});
