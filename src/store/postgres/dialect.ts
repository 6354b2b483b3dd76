import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
} from 'kysely';
import type { Pool, PoolClient } from 'pg';
import { bindable } from '../bindable.ts';
import { PostgresFailure, postgresFailure } from './failure.ts';

/** How long the server lets evenkeel wait or work, ms. */
export interface ServerLimits {
  statementMs: number;
  lockMs: number;
  /** A controller that was stopped within a transaction must not keep its locks until it is continued. */
  idleInTransactionMs: number;
}

/** Kysely over a pool of connections; a connection that failed is never used again. */
export function postgresDialect(pool: Pool, limits: ServerLimits): Dialect {
  return {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => driver(pool, begin(limits)),
    createIntrospector: (db: Kysely<unknown>) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  };
}

/**
 * One message, so one way there and back. Serializable: writers of other processes seem to come one after the other, as
 * they do with SQLite. The limits hold for this transaction alone, which a pooler between here and the server respects.
 */
const begin = ({ statementMs, lockMs, idleInTransactionMs }: ServerLimits): string =>
  [
    'begin isolation level serializable read write',
    `set local statement_timeout = ${statementMs}`,
    `set local lock_timeout = ${lockMs}`,
    `set local idle_in_transaction_session_timeout = ${idleInTransactionMs}`,
    // A commit that was acknowledged is on the disk, whatever the database has as its default.
    `select set_config('synchronous_commit', 'on', true) where current_setting('synchronous_commit') = 'off'`,
  ].join('; ');

function driver(pool: Pool, beginning: string): Driver {
  const connections = new WeakMap<DatabaseConnection, PostgresConnection>();
  const of = (connection: DatabaseConnection): PostgresConnection => {
    const known = connections.get(connection);
    if (known === undefined) throw new Error('a connection of another driver');
    return known;
  };
  return {
    init: async () => {},
    async acquireConnection() {
      const connection = new PostgresConnection(await connect(pool));
      connections.set(connection, connection);
      return connection;
    },
    beginTransaction: (connection) => of(connection).begin(beginning),
    commitTransaction: (connection) => of(connection).commit(),
    rollbackTransaction: (connection) => of(connection).rollback(),
    releaseConnection: async (connection) => of(connection).release(),
    // Whoever made the pool ends it: Kysely does so only when it was used.
    destroy: async () => {},
  };
}

async function connect(pool: Pool): Promise<PoolClient> {
  try {
    return await pool.connect();
  } catch (error) {
    throw postgresFailure(error);
  }
}

class PostgresConnection implements DatabaseConnection {
  readonly #client: PoolClient;
  /** In an unknown state: not to be used again. */
  #broken = false;

  constructor(client: PoolClient) {
    this.#client = client;
  }

  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    const values = parameters.map(bindable);
    const { command, rowCount, rows } = await this.#ask(() => this.#client.query(sql, values));
    const changes = command === 'INSERT' || command === 'UPDATE' || command === 'DELETE';
    return { rows: rows as R[], ...(changes ? { numAffectedRows: BigInt(rowCount ?? 0) } : {}) };
  }

  // oxlint-disable-next-line require-yield -- nothing in the store streams
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('the store reads no streams');
  }

  async begin(text: string): Promise<void> {
    try {
      await this.#ask(() => this.#client.query(text));
    } catch (error) {
      // It may be within a transaction that nobody will end.
      this.#broken = true;
      throw error;
    }
  }

  async commit(): Promise<void> {
    const { command } = await this.#ask(() => this.#client.query('commit'), true);
    // Said when a statement had failed before and somebody went on in spite of it.
    if (command === 'ROLLBACK') throw new PostgresFailure('failed', 'the transaction was undone', null);
  }

  /** What went wrong before is what is told; that undoing fails too only costs the connection. */
  async rollback(): Promise<void> {
    if (!this.#broken) await this.#ask(() => this.#client.query('rollback')).catch(() => (this.#broken = true));
  }

  release(): void {
    this.#client.release(this.#broken);
  }

  async #ask<T>(question: () => Promise<T>, committing = false): Promise<T> {
    try {
      return await question();
    } catch (error) {
      const failure = postgresFailure(error, { committing });
      if (failure.kind === 'away' || failure.kind === 'unsure') this.#broken = true;
      // The server may have become a follower of another one: ask for the way again.
      if (failure.kind === 'readonly') this.#broken = true;
      throw failure;
    }
  }
}
