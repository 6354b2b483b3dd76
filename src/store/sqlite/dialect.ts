import type { DatabaseSync, StatementSync } from 'node:sqlite';
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type Kysely,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type TransactionSettings,
} from 'kysely';
import { bindable } from '../bindable.ts';

/** Kysely over one `node:sqlite` connection. Kysely itself lets only one user at a time have it. */
export function sqliteDialect(database: DatabaseSync): Dialect {
  return {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => driver(database),
    createIntrospector: (db: Kysely<unknown>) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
}

function driver(database: DatabaseSync): Driver {
  const connection = sqliteConnection(database);
  return {
    init: async () => {},
    acquireConnection: async () => connection,
    // A deferred transaction that reads first and then writes fails at once, whatever the busy timeout, when another
    // process wrote in between.
    beginTransaction: async (_: DatabaseConnection, { accessMode }: TransactionSettings) =>
      database.exec(accessMode === 'read only' ? 'begin' : 'begin immediate'),
    commitTransaction: async () => database.exec('commit'),
    // SQLite has undone some failed transactions (a full disk) by itself.
    rollbackTransaction: async () => (database.isTransaction ? database.exec('rollback') : undefined),
    releaseConnection: async () => {},
    destroy: async () => database.close(),
  };
}

/** More different statements than the store has; the bound only guards against statements made up at run time. */
const STATEMENTS = 200;

function sqliteConnection(database: DatabaseSync): DatabaseConnection {
  const prepared = new Map<string, StatementSync>();
  const prepare = (sql: string): StatementSync => {
    const known = prepared.get(sql);
    if (known !== undefined) return known;
    if (prepared.size >= STATEMENTS) prepared.clear();
    const statement = database.prepare(sql);
    prepared.set(sql, statement);
    return statement;
  };
  return {
    async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
      const statement = prepare(sql);
      const values = parameters.map(bindable);
      if (statement.columns().length > 0) return { rows: statement.all(...values) as R[] };
      const { changes, lastInsertRowid } = statement.run(...values);
      return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) };
    },
    async *streamQuery<R>({ sql, parameters }: CompiledQuery): AsyncIterableIterator<QueryResult<R>> {
      // The statement is not shared: somebody else may run the same one while this is being read.
      for (const row of database.prepare(sql).iterate(...parameters.map(bindable))) yield { rows: [row as R] };
    },
  };
}
