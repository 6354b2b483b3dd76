/** What a failure means for whoever asked. */
export type FailureKind =
  /** Somebody else was writing the same; it was undone, and a moment later it can be done. */
  | 'collision'
  /** The database could not be asked, or went away before it was told to commit: nothing was written. */
  | 'away'
  /** It went away while it was told to commit, and nobody knows whether it did. */
  | 'unsure'
  | 'conflict'
  | 'full'
  | 'readonly'
  | 'refused'
  | 'corrupt'
  | 'failed';

/** What Postgres, or the way to it, said. */
export class PostgresFailure extends Error {
  readonly kind: FailureKind;
  /** Five characters; null when the server itself said nothing. */
  readonly sqlState: string | null;

  constructor(kind: FailureKind, message: string, sqlState: string | null) {
    super(message);
    this.name = 'PostgresFailure';
    this.kind = kind;
    this.sqlState = sqlState;
  }
}

/**
 * The meaning of an error that `pg` threw. `committing` says that it was the answer to a commit: a connection lost then
 * leaves open what became of it, whereas the server undoes everything that it was not told to commit.
 *
 * Only words are taken over from it. The error of a client holds the client, and that the password.
 */
export function postgresFailure(error: unknown, { committing = false } = {}): PostgresFailure {
  if (error instanceof PostgresFailure) return error;
  const sqlState = sqlStateOf(error);
  const kind = sqlState !== null ? kindOf(sqlState) : isRefusal(error) ? 'refused' : 'away';
  const lost = kind === 'away' && committing ? 'unsure' : kind;
  return new PostgresFailure(lost, words(error), sqlState);
}

function sqlStateOf(error: unknown): string | null {
  if (!(error instanceof Error) || !('code' in error) || !('severity' in error)) return null;
  return typeof error.code === 'string' && /^[0-9A-Z]{5}$/.test(error.code) ? error.code : null;
}

/** Trust was not established, by us: a certificate, TLS that the server does not speak, a password that is missing. */
function isRefusal(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if ('code' in error && typeof error.code === 'string') return /CERT|TLS|SSL|ISSUER|SIGNATURE/.test(error.code);
  return /^SASL|does not support SSL/.test(error.message);
}

const KINDS: Record<string, FailureKind> = {
  // serialization failure, deadlock, lock timeout, statement timeout or cancelled
  '40001': 'collision',
  '40P01': 'collision',
  '55P03': 'collision',
  '57014': 'collision',
  // a transaction that did nothing for too long
  '25P03': 'away',
  '25006': 'readonly',
  '42501': 'readonly',
  '53100': 'full',
  '57P04': 'refused',
  '3D000': 'refused',
  XX001: 'corrupt',
  XX002: 'corrupt',
};

function kindOf(sqlState: string): FailureKind {
  const known = KINDS[sqlState];
  if (known !== undefined) return known;
  // By class: connection; resources (too many connections, memory); intervention (shutdown, crash, still starting).
  if (/^(08|53|57)/.test(sqlState)) return 'away';
  if (sqlState.startsWith('28')) return 'refused';
  return sqlState.startsWith('23') ? 'conflict' : 'failed';
}

/** Errors of several addresses that were tried say nothing themselves. */
function words(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(words).join('; ');
  if (!(error instanceof Error)) return 'unknown error';
  return error.message !== '' ? error.message : 'code' in error ? String(error.code) : error.name;
}
