import type { DatabaseSync } from 'node:sqlite';
import { Kysely, sql } from 'kysely';
import { EvenkeelError } from '../../ports/errors.ts';
import type { Database } from '../rows/database.ts';
import type { Transactor } from '../transactor.ts';
import { whileBusy } from './busy.ts';
import { sqliteDialect } from './dialect.ts';
import { isFull, storeError, storeFull } from './errors.ts';
import type { Reserve } from './reserve.ts';

const NOW = sql<number>`cast(unixepoch('subsec') * 1000 as integer)`;

/** Transactions on one connection: writes one after the other in the order in which they were asked for. */
export function sqliteTransactor(
  database: DatabaseSync,
  { file, reserve, patienceMs }: { file: string; reserve: Reserve | null; patienceMs?: number | undefined },
): Transactor {
  const db = new Kysely<Database>({ dialect: sqliteDialect(database) });
  let closed: Promise<void> | null = null;
  let lastWrite: Promise<unknown> = Promise.resolve();

  const translated = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw storeError(error, file);
    }
  };

  const read: Transactor['read'] = async (work) => {
    if (closed !== null) throw storeClosed(file);
    return translated(() => whileBusy(() => work(db), patienceMs));
  };

  const write: Transactor['write'] = (work, { lastResort = false } = {}) => {
    if (closed !== null) return Promise.reject(storeClosed(file));
    const transaction = () => whileBusy(() => db.transaction().execute(work), patienceMs);
    const result = lastWrite.then(() => translated(() => withinRoom(transaction, lastResort)));
    lastWrite = result.catch(() => {});
    return result;
  };

  /** While the reserve is spent nothing new is begun: what little room there is belongs to what must still end. */
  const withinRoom = async <T>(transaction: () => Promise<T>, lastResort: boolean): Promise<T> => {
    if (reserve !== null && !(await reserve.kept()) && !lastResort) throw storeFull(file);
    try {
      return await transaction();
    } catch (error) {
      if (lastResort && reserve !== null && isFull(error) && (await reserve.spend())) return transaction();
      throw error;
    }
  };

  const close = async () => {
    await lastWrite;
    await db.destroy();
    // Kysely closes only what it has used.
    if (database.isOpen) database.close();
  };

  return { now: NOW, read, write, close: () => (closed ??= close()) };
}

function storeClosed(file: string): EvenkeelError {
  return new EvenkeelError({ code: 'store-closed', what: 'The store was closed already.', where: file, exit: 2 });
}
