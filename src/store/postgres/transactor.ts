import { Kysely, sql } from 'kysely';
import type { Pool } from 'pg';
import type { Database } from '../rows/database.ts';
import type { Transactor } from '../transactor.ts';
import { postgresDialect, type ServerLimits } from './dialect.ts';
import { storeClosed, storeError } from './errors.ts';
import { PostgresFailure } from './failure.ts';
import { patiently } from './patiently.ts';

export interface TransactorOptions {
  where: string;
  /** How long it is tried again while others write or the database is away, from when it was asked for, ms. */
  patienceMs: number;
  limits: ServerLimits;
}

/** Not `now()`, which is when the transaction began. */
const NOW = sql<number>`(extract(epoch from clock_timestamp()) * 1000)::bigint`;

/** Transactions on a pool. Writes of this process go one after the other in the order in which they were asked for. */
export function postgresTransactor(pool: Pool, { where, patienceMs, limits }: TransactorOptions): Transactor {
  const db = new Kysely<Database>({ dialect: postgresDialect(pool, limits) });
  const reading = new Set<Promise<unknown>>();
  let closed: Promise<void> | null = null;
  let lastWrite: Promise<unknown> = Promise.resolve();
  /** What the last write found when the database was away; null once one went through. */
  let away: PostgresFailure | null = null;

  const translated = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw storeError(error, where);
    }
  };

  const read: Transactor['read'] = async (work) => {
    if (closed !== null) throw storeClosed(where);
    const deadline = performance.now() + patienceMs;
    const result = translated(() => patiently(() => work(db), deadline));
    reading.add(result);
    return result.finally(() => reading.delete(result));
  };

  const write: Transactor['write'] = (work) => {
    if (closed !== null) return Promise.reject(storeClosed(where));
    const deadline = performance.now() + patienceMs;
    const result = lastWrite.then(() => translated(() => inTurn(() => db.transaction().execute(work), deadline)));
    lastWrite = result.catch(() => {});
    return result;
  };

  /** Whoever waited in the queue behind one that found nobody has waited for the same: they do not add up. */
  const inTurn = async <T>(transaction: () => Promise<T>, deadline: number): Promise<T> => {
    if (away !== null && performance.now() >= deadline) throw away;
    try {
      const result = await patiently(transaction, deadline);
      away = null;
      return result;
    } catch (error) {
      away = error instanceof PostgresFailure && error.kind === 'away' ? error : null;
      throw error;
    }
  };

  const close = async () => {
    await Promise.allSettled([lastWrite, ...reading]);
    await pool.end();
  };

  return { now: NOW, read, write, close: () => (closed ??= close()) };
}
