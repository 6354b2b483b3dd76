import { type ClientConfig, Pool } from 'pg';
import type { HoldsAccess } from '../../ports/access-store.ts';
import type { Store } from '../../ports/store.ts';
import { type Migration, readMigrations } from '../migrate.ts';
import { createStore } from '../store.ts';
import type { ServerLimits } from './dialect.ts';
import { storeError } from './errors.ts';
import { PostgresFailure } from './failure.ts';
import { migrate } from './migrate.ts';
import type { StoreOwner } from './owner.ts';
import { patiently } from './patiently.ts';
import { type Session, withSession } from './session.ts';
import { clientConfig, postgresSettings } from './settings.ts';
import { postgresTransactor } from './transactor.ts';

export interface PostgresOptions {
  /** `postgres://user:password@host/database`; see settings.ts. */
  url: string;
  /** Whose store it is; null (tests) lets anybody in. */
  owner: StoreOwner | null;
  /** How long a call is tried again while others write or the database is away before `store-busy`, ms; default 5,000. */
  patienceMs?: number;
  /** The same for opening it; default `patienceMs`. */
  openPatienceMs?: number;
  /** How long a connection may take to be there, and an answer to come, ms; default 5,000 and 10,000. */
  connectMs?: number;
  replyMs?: number;
  limits?: Partial<ServerLimits>;
  /** For tests of migrations. */
  migrations?: Migration[];
}

const PATIENCE_MS = 5_000;
const LIMITS: ServerLimits = { statementMs: 5_000, lockMs: 2_000, idleInTransactionMs: 10_000 };

/** Migrations may rewrite large tables. */
const MIGRATION_MS = 600_000;

/** One writes at a time; the others read. */
const CONNECTIONS = 5;
/** An idle connection costs the server some megabytes. */
const IDLE_MS = 60_000;

/** The server's version that has everything used here. */
const OLDEST = 13;

/** Of Postgres's types: bigint, smallint, integer. */
const INTEGERS = new Set([20, 21, 23]);

/**
 * Opens the store, with its tables brought up to date.
 * @throws EvenkeelError `store-settings`, `store-refused`, `store-foreign`, `store-taken`, `store-missing`, `store-newer`,
 * `store-migration-changed`, `store-readonly`, `store-full`, `store-busy`.
 */
export async function openPostgresStore(options: PostgresOptions): Promise<Store & HoldsAccess> {
  const settings = postgresSettings(options.url);
  const { where } = settings;
  const { patienceMs = PATIENCE_MS, connectMs = 5_000, replyMs = 10_000, migrations = ownMigrations() } = options;
  const config: ClientConfig = { ...clientConfig(settings), connectionTimeoutMillis: connectMs };
  const limits = { ...LIMITS, ...options.limits };
  const prepare = () =>
    withSession({ ...config, query_timeout: MIGRATION_MS }, async (session) => {
      await checkServer(session);
      await migrate(session, { migrations, where, now: Date.now(), owner: options.owner, patienceMs: MIGRATION_MS });
    });
  try {
    await patiently(prepare, performance.now() + (options.openPatienceMs ?? patienceMs));
  } catch (error) {
    throw storeError(error, where);
  }
  const pool = new Pool({
    ...config,
    query_timeout: replyMs,
    max: CONNECTIONS,
    idleTimeoutMillis: IDLE_MS,
    types: { getTypeParser: (type: number) => (INTEGERS.has(type) ? integer : text) },
  });
  // Said of connections that break while nobody uses them (the pool forgets those), and beside the error of whoever
  // uses one. Without listeners it would end the process.
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));
  return createStore(postgresTransactor(pool, { where, patienceMs, limits }));
}

async function checkServer(session: Session): Promise<void> {
  const [row] = await session.rows(
    `select current_setting('server_version_num') as version, current_setting('server_encoding') as encoding`,
  );
  const version = Math.floor(Number(row?.['version']) / 10_000);
  if (version < OLDEST) throw new PostgresFailure('refused', `Postgres ${version} is older than ${OLDEST}`, null);
  const encoding = row?.['encoding'];
  if (encoding === 'UTF8') return;
  throw new PostgresFailure('refused', `the database is encoded in ${encoding}; make one in UTF8`, null);
}

/** As a number, which every value of the store fits in. */
function integer(value: string): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new PostgresFailure('corrupt', `the number ${value} is out of range`, null);
  return number;
}

const text = (value: string): string => value;

const ownMigrations = () => readMigrations(new URL('../migrations/', import.meta.url));
