import { closeSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { BUSY_TIMEOUT_MS } from './busy.ts';
import { storeCorrupt } from './errors.ts';

export const MEMORY = ':memory:';

/** Opens the file for this user only and makes every commit durable before it is acknowledged. */
export function openConnection(file: string): DatabaseSync {
  // SQLite would make it readable for everybody.
  if (file !== MEMORY) closeSync(openSync(file, 'a', 0o600));
  const database = new DatabaseSync(file, { timeout: BUSY_TIMEOUT_MS, enableForeignKeyConstraints: true });
  try {
    database.exec('pragma journal_mode = wal');
    database.exec('pragma synchronous = full');
    // No temporary files, which would need room and a folder of their own.
    database.exec('pragma temp_store = memory');
    checkPages(database, file);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function checkPages(database: DatabaseSync, file: string): void {
  const found = database.prepare('pragma quick_check(1)').get()?.['quick_check'];
  if (found !== 'ok') throw storeCorrupt(file, String(found));
}
