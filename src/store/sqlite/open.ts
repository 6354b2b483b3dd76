import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { HoldsAccess } from '../../ports/access-store.ts';
import type { Store } from '../../ports/store.ts';
import { type Migration, readMigrations } from '../migrate.ts';
import { createStore } from '../store.ts';
import { whileBusy } from './busy.ts';
import { MEMORY, openConnection } from './connection.ts';
import { isFull, storeError } from './errors.ts';
import { migrate } from './migrate.ts';
import { keepReserve } from './reserve.ts';
import { sqliteTransactor } from './transactor.ts';

export interface SqliteOptions {
  /** Absolute path; made, with its folder, when missing. `<file>.reserve` beside it keeps room for a full disk. */
  file: string;
  /** How long another process may hold the lock before `store-busy`, in ms; default 5,000. */
  patienceMs?: number;
  /** For tests of migrations. */
  migrations?: Migration[];
}

/**
 * Opens the store, checked for damage and with its tables brought up to date.
 * @throws EvenkeelError `store-corrupt`, `store-newer`, `store-migration-changed`, `store-readonly`, `store-full`, `store-busy`.
 */
export async function openSqliteStore({
  file,
  patienceMs,
  migrations = ownMigrations(),
}: SqliteOptions): Promise<Store & HoldsAccess> {
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    const reserve = await keepReserve(`${file}.reserve`);
    const open = () => whileBusy(async () => connect(file, migrations), patienceMs);
    // On a full disk even opening needs room, for the files beside the database.
    const database = await open().catch(async (error: unknown) => {
      if (isFull(error) && (await reserve.spend())) return open();
      throw error;
    });
    return createStore(sqliteTransactor(database, { file, reserve, patienceMs }));
  } catch (error) {
    throw storeError(error, file);
  }
}

/** A store that ends with the process, for tests: the same code over SQLite's memory. */
export async function openMemoryStore(): Promise<Store & HoldsAccess> {
  const database = connect(MEMORY, ownMigrations());
  return createStore(sqliteTransactor(database, { file: MEMORY, reserve: null }));
}

function connect(file: string, migrations: Migration[]): DatabaseSync {
  const database = openConnection(file);
  try {
    migrate(database, migrations, file, Date.now());
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

const ownMigrations = () => readMigrations(new URL('../migrations/', import.meta.url));
