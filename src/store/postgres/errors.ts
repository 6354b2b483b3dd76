import { EvenkeelError } from '../../ports/errors.ts';
import { type FailureKind, PostgresFailure } from './failure.ts';

interface Told {
  code: string;
  what: string;
  next: string;
  retryable?: boolean;
  exit?: 1 | 2;
}

const TOLD: Record<FailureKind, Told> = {
  collision: {
    code: 'store-busy',
    what: 'The store is being written to by another process.',
    next: 'Try again.',
    retryable: true,
  },
  away: {
    code: 'store-busy',
    what: 'The database of the store cannot be reached; nothing was written.',
    next: 'See that it runs and can be reached from here; then try again. What serves goes on serving.',
    retryable: true,
  },
  unsure: {
    code: 'store-unsure',
    what: 'The database of the store went away in the middle of a write, and whether it was written is not known.',
    next: 'Look (`evenkeel status`) before you ask for it again.',
  },
  conflict: { code: 'store-conflict', what: 'It is in the store already.', next: 'Ask for what is there.' },
  full: {
    code: 'store-full',
    what: 'The disk of the database is full; nothing was written.',
    next: 'Free some space on it.',
  },
  readonly: {
    code: 'store-readonly',
    what: 'The store cannot be written.',
    next: 'Let the user that EVENKEEL_DATABASE_URL names own the database, and name the server that takes writes.',
    exit: 1,
  },
  refused: {
    code: 'store-refused',
    what: 'The database of the store does not let evenkeel in.',
    next: 'Correct user, password, database or sslmode in EVENKEEL_DATABASE_URL.',
    exit: 1,
  },
  corrupt: {
    code: 'store-corrupt',
    what: 'The database of the store is damaged and was left as it is.',
    next: 'Restore it from a backup. What serves goes on serving.',
  },
  failed: { code: 'store-failed', what: 'The store could not be used.', next: 'See the log of the database.' },
};

/** What Postgres said, as the store's users are told; errors of anything else stay as they are. */
export function storeError(error: unknown, where: string): unknown {
  if (!(error instanceof PostgresFailure)) return error;
  const { code, what, next, retryable = false, exit = 2 } = TOLD[error.kind];
  const why = error.sqlState === null ? error.message : `${error.message} (${error.sqlState})`;
  return new EvenkeelError({ code, what, where, why, next, retryable, exit, cause: error });
}

export function storeClosed(where: string): EvenkeelError {
  return new EvenkeelError({ code: 'store-closed', what: 'The store was closed already.', where, exit: 2 });
}
