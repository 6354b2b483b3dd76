import { readdirSync, readFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';

/** In a folder that all releases share (`data: [storage]` in evenkeel.yaml). */
export const DATABASE_FILE = process.env.DATABASE_FILE ?? 'storage/chat.db';

/**
 * `synchronous = normal` loses nothing when a process is killed, and nothing but the last moments in a power cut.
 */
export function openDatabase() {
  const db = new DatabaseSync(DATABASE_FILE, { timeout: 5000 });
  db.exec('pragma synchronous = normal');
  return db;
}

/** @returns {{ name: string, sql: string }[]} what this release needs, in order */
export function migrations() {
  const folder = new URL('./migrations/', import.meta.url);
  return readdirSync(folder)
    .filter((name) => name.endsWith('.sql'))
    .toSorted()
    .map((name) => ({ name, sql: readFileSync(new URL(name, folder), 'utf8') }));
}

/**
 * Runs `work` in a transaction that takes the write lock first: one that reads and then asks for the lock would be
 * refused when another instance wrote in between.
 *
 * @template T
 * @param {DatabaseSync} db
 * @param {() => T} work
 * @returns {T}
 */
export function transaction(db, work) {
  db.exec('begin immediate');
  try {
    const result = work();
    db.exec('commit');
    return result;
  } catch (error) {
    db.exec('rollback');
    throw error;
  }
}
