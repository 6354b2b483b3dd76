import { setTimeout as sleep } from 'node:timers/promises';
import { EvenkeelError } from '../../ports/errors.ts';
import { type AppliedMigration, type Migration, missingMigrations } from '../migrate.ts';
import { PostgresFailure } from './failure.ts';
import { claim, OWNER_NAME, OWNER_TABLE, type StoreOwner } from './owner.ts';
import type { Session } from './session.ts';

/** Held by whoever brings tables up to date. Any number will do; this one is "evenkeel" in ASCII, cut to fit. */
const LOCK = 0x65_76_65_6e_6b_65;

/** Between two tries to get it, ms: another process migrates, which may take a while. */
const LOOK_AGAIN_MS = 50;

const TABLE = `create table migrations (
  number integer not null primary key,
  name text not null,
  checksum text not null,
  applied_at bigint not null
)`;

export interface MigrateOptions {
  migrations: Migration[];
  where: string;
  now: number;
  /** Whose store it is; null asks nobody. */
  owner: StoreOwner | null;
  /** How long another process may be busy migrating, ms. */
  patienceMs: number;
}

/**
 * Brings the tables up to what the code expects and makes sure that they are the caller's, all or nothing. Of several
 * that start at once one does it; the others wait and find it done.
 */
export async function migrate(session: Session, options: MigrateOptions): Promise<void> {
  const { migrations, where, now, owner, patienceMs } = options;
  const deadline = performance.now() + patienceMs;
  const attempt = () =>
    session.transaction(async () => {
      const [lock] = await session.rows(`select pg_try_advisory_xact_lock(${LOCK})::int as taken`);
      if (lock?.['taken'] !== '1') return false;
      if (!(await isOurs(session, where))) await session.rows(`${TABLE}; ${OWNER_TABLE}`);
      const missing = missingMigrations(migrations, await applied(session), where);
      for (const { number, name, sql, checksum } of missing) {
        await session.rows(sql);
        await session.rows('insert into migrations values ($1, $2, $3, $4)', [number, name, checksum, now]);
      }
      await claim(session, { owner, where, now });
      if (missing.length > 0) await orderTextByBytes(session);
      return true;
    });
  while (!(await attempt())) {
    if (performance.now() >= deadline) {
      throw new PostgresFailure('collision', 'another process has been changing its tables for too long', null);
    }
    await sleep(LOOK_AGAIN_MS);
  }
}

async function applied(session: Session): Promise<AppliedMigration[]> {
  const rows = await session.rows('select number, checksum from migrations order by number');
  return rows.map((row) => ({ number: Number(row['number']), checksum: String(row['checksum']) }));
}

/** A database that somebody else keeps tables in is most likely one that was named by mistake. */
async function isOurs(session: Session, where: string): Promise<boolean> {
  const [row] = await session.rows(
    `select to_regclass('${OWNER_NAME}')::text as ours, current_schema() as schema,
      (select min(tablename) from pg_tables where schemaname = current_schema()) as other`,
  );
  if (row === undefined || row['schema'] === null) {
    throw new PostgresFailure('readonly', 'the user has no schema in which it could make tables', null);
  }
  if (row['ours'] !== null) return true;
  if (row['other'] === null) return false;
  throw new EvenkeelError({
    code: 'store-foreign',
    what: 'The database is not empty, and what is in it is not of evenkeel; nothing was written.',
    where,
    why: `It has a table ${row['other']}.`,
    next: 'Make a database for evenkeel alone, and name it in EVENKEEL_DATABASE_URL.',
  });
}

/** Text is compared byte by byte, as SQLite does it, whatever the language of the database. */
async function orderTextByBytes(session: Session): Promise<void> {
  const rows = await session.rows(
    `select format('alter table %I ', c.relname) ||
        string_agg(format('alter column %I type text collate "C"', a.attname), ', ') as change
      from pg_attribute a join pg_class c on c.oid = a.attrelid
      where c.relnamespace = current_schema()::regnamespace and c.relkind = 'r' and a.attnum > 0
        and not a.attisdropped and a.atttypid = 'text'::regtype
        and a.attcollation <> 'pg_catalog."C"'::regcollation
      group by c.relname`,
  );
  for (const { change } of rows) await session.rows(String(change));
}
