import { EvenkeelError } from '../../ports/errors.ts';

/** Primary result codes of SQLite; extended codes carry more in the higher bits. */
const CODES = {
  busy: 5,
  locked: 6,
  readonly: 8,
  io: 10,
  corrupt: 11,
  full: 13,
  cantOpen: 14,
  constraint: 19,
  notADatabase: 26,
};

/** The primary result code of an error of SQLite, or null for an error of anything else. */
function resultCode(error: unknown): number | null {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return null;
  return error.errcode & 0xff;
}

/** Another connection holds the lock; a moment later it does not. */
export function isBusy(error: unknown): boolean {
  const code = resultCode(error);
  return code === CODES.busy || code === CODES.locked;
}

/** The file is damaged, or never was a database. */
export function isCorrupt(error: unknown): boolean {
  const code = resultCode(error);
  return code === CODES.corrupt || code === CODES.notADatabase;
}

/** SQLITE_IOERR_SHMSIZE: the WAL's index could not grow. It fails so, and not with "full", when there is no room. */
const SHM_SIZE = CODES.io | (19 << 8);

export function isFull(error: unknown): boolean {
  if (resultCode(error) === CODES.full) return true;
  if (!(error instanceof Error)) return false;
  if ('errcode' in error && error.errcode === SHM_SIZE) return true;
  return 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT' || error.code === 'store-full');
}

/** What SQLite or the file system said, as the store's users are told; errors that already say so stay as they are. */
export function storeError(error: unknown, file: string): unknown {
  if (error instanceof EvenkeelError) return error;
  if (isFull(error)) return storeFull(file, error);
  const why = error instanceof Error ? error.message : String(error);
  const common = { where: file, why, exit: 2, cause: error } as const;
  if (isBusy(error)) {
    return new EvenkeelError({
      ...common,
      code: 'store-busy',
      what: 'The store is being written to by another process.',
      next: 'Try again.',
      retryable: true,
    });
  }
  const code = resultCode(error);
  const system = error instanceof Error && 'code' in error ? error.code : null;
  if (code === CODES.readonly || system === 'EACCES' || system === 'EROFS' || system === 'EPERM') {
    return new EvenkeelError({
      ...common,
      code: 'store-readonly',
      what: 'The store cannot be written.',
      next: `Let this user own and write ${file} and its folder.`,
      exit: 1,
    });
  }
  if (isCorrupt(error)) return storeCorrupt(file, why, error);
  if (code === CODES.constraint) {
    return new EvenkeelError({ ...common, code: 'store-conflict', what: 'It is in the store already.' });
  }
  if (code === null && system === null) return error;
  return new EvenkeelError({
    ...common,
    code: 'store-failed',
    what: 'The store could not be used.',
    next: `Check the disk and the folder that hold ${file}.`,
  });
}

export function storeFull(file: string, cause?: unknown): EvenkeelError {
  return new EvenkeelError({
    code: 'store-full',
    what: 'The disk is full; nothing was written.',
    where: file,
    next: 'Free some space. Rollouts under way can still be aborted.',
    exit: 2,
    cause,
  });
}

export function storeCorrupt(file: string, why: string, cause?: unknown): EvenkeelError {
  return new EvenkeelError({
    code: 'store-corrupt',
    what: 'The store is damaged and was left as it is.',
    where: file,
    why,
    next: `Move ${file} (and its -wal and -shm files) aside and restore it from a backup. What serves goes on serving.`,
    exit: 2,
    cause,
  });
}
