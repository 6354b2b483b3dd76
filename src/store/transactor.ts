import type { Kysely, RawBuilder } from 'kysely';
import type { Database } from './rows/database.ts';

/**
 * What a database gives the store. Work may be run again after it was undone, so it touches nothing but its database.
 * Errors are EvenkeelErrors.
 */
export interface Transactor {
  /** The database's own clock in SQL: ms since 1970, at the moment of the statement. */
  readonly now: RawBuilder<number>;
  /** One query, or several that need not agree. */
  read<T>(work: (db: Kysely<Database>) => Promise<T>): Promise<T>;
  /**
   * One durable transaction. `lastResort` writes may use the room that is kept for when the disk is full: those that
   * take a rollout further, an abort among them.
   */
  write<T>(work: (db: Kysely<Database>) => Promise<T>, options?: { lastResort?: boolean }): Promise<T>;
  /** Waits for what is under way. */
  close(): Promise<void>;
}
