// Brings the database to the schema that this release needs. Safe to run again, and safe to run twice at once.
// Migrations only ever add, so that the former release keeps working beside the new one.
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DATABASE_FILE, migrations, openDatabase } from './database.js';

mkdirSync(dirname(DATABASE_FILE), { recursive: true });
const db = openDatabase();
await useWriteAheadLog(db);
db.exec('begin immediate');
db.exec('create table if not exists schema_migrations (name text primary key, applied_at integer not null) strict');
const applied = new Set(
  db
    .prepare('select name from schema_migrations')
    .all()
    .map((row) => row.name),
);
const missing = migrations().filter(({ name }) => !applied.has(name));
for (const { name, sql } of missing) {
  db.exec(sql);
  db.prepare('insert into schema_migrations (name, applied_at) values (?, ?)').run(name, Date.now());
  console.log(`applied ${name}`);
}
db.exec('commit'); // all or nothing: an error above ends the process, and SQLite takes everything back
db.close();
console.log(missing.length === 0 ? 'nothing to do' : `${missing.length} applied`);

/** SQLite does not wait for this lock by itself, and refuses when somebody else is just doing the same. */
async function useWriteAheadLog(database) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return database.exec('pragma journal_mode = wal');
    } catch (error) {
      if (attempt === 100) throw error;
      await sleep(50);
    }
  }
}
