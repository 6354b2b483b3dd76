import type { DatabaseSync } from 'node:sqlite';
import { type AppliedMigration, type Migration, missingMigrations } from '../migrate.ts';

const TABLE = `create table if not exists migrations (
  number integer not null primary key,
  name text not null,
  checksum text not null,
  applied_at bigint not null
)`;

/**
 * Brings the tables up to what the code expects, all or nothing. Two processes that open the same old file both get
 * here; the second finds the work done once it has the lock.
 */
export function migrate(database: DatabaseSync, migrations: Migration[], file: string, now: number): void {
  if (missingMigrations(migrations, applied(database), file).length === 0) return;
  database.exec('begin immediate');
  try {
    database.exec(TABLE);
    for (const { number, name, sql, checksum } of missingMigrations(migrations, applied(database), file)) {
      database.exec(sql);
      database.prepare('insert into migrations values (?, ?, ?, ?)').run(number, name, checksum, now);
    }
    database.exec('commit');
  } catch (error) {
    if (database.isTransaction) database.exec('rollback');
    throw error;
  }
}

function applied(database: DatabaseSync): AppliedMigration[] {
  const table = database.prepare("select 1 from sqlite_master where type = 'table' and name = 'migrations'").get();
  if (table === undefined) return [];
  const rows = database.prepare('select number, checksum from migrations order by number').all();
  return rows.map((row) => ({ number: Number(row['number']), checksum: String(row['checksum']) }));
}
