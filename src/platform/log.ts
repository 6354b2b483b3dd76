import { mkdirSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Logger } from 'pino';

export type { Logger } from 'pino';

export interface LogOptions {
  /** Who speaks: `controller`, `edge`. */
  name: string;
  /** Absolute path; standard error when absent. */
  file?: string;
  level?: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';
  /** At this size, in bytes, the file becomes `<file>.1` and a new one is begun; 8 MB by default. */
  maxBytes?: number;
}

/** Whatever stands under these names, at the top or one level down, is never written. */
const SECRETS = [
  'authorization',
  'cookie',
  'token',
  'password',
  'secret',
  'secrets',
  'env',
  'DATABASE_URL',
  'EVENKEEL_DATABASE_URL',
];

/** Bytes that wait for a disk that is full; what comes after them is lost. */
const MOST_UNWRITTEN = 1 << 20;

/** How often the size of the file is looked at, ms. */
const LOOK = 10_000;

/**
 * A logger that writes one JSON document per line. pino is loaded only now, since programs that log nothing need none.
 * Lines are written at once (not buffered): the last words before a crash are the ones that matter.
 */
export async function createLogger({ name, file, level = 'info', maxBytes = 8 << 20 }: LogOptions): Promise<Logger> {
  const { pino } = await import('pino');
  if (file !== undefined) mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const options = { sync: true, append: true, mode: 0o600, maxLength: MOST_UNWRITTEN };
  const destination = pino.destination({ dest: file ?? 2, ...options });
  // On a full disk a line would otherwise throw wherever it is said, in the middle of taking a release back too.
  destination.on('error', () => {});
  if (file !== undefined) keepBounded(file, maxBytes, () => destination.reopen());
  const paths = SECRETS.flatMap((secret) => [secret, `*.${secret}`]);
  return pino({ name, level, base: { name, pid: process.pid }, redact: { paths, censor: '[secret]' } }, destination);
}

function keepBounded(file: string, maxBytes: number, reopen: () => void): void {
  const look = (): void => {
    if (rotateWhenLarge(file, maxBytes)) reopen();
  };
  look();
  setInterval(look, LOOK).unref();
}

/** Renames a log file that has grown beyond `maxBytes` to `<file>.1`, replacing an older one; says whether it did. */
export function rotateWhenLarge(file: string, maxBytes: number): boolean {
  try {
    if (statSync(file).size < maxBytes) return false;
    renameSync(file, `${file}.1`);
    return true;
  } catch {
    return false; // it does not exist yet, or the disk has other worries: logging must never be what fails
  }
}
