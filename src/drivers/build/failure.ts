import { EvenkeelError } from '../../ports/errors.ts';

export function isCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}

/** A build that cannot succeed as things are; the message becomes what the user reads. */
export function buildFailed(what: string, next?: string, cause?: unknown): EvenkeelError {
  return new EvenkeelError({ code: 'build-failed', what, ...(next === undefined ? {} : { next }), exit: 2, cause });
}

/** Thrown where a cancelled build notices it. */
export class Cancelled extends Error {}

/** What to tell the user about whatever ended a build. */
export function failureText(error: unknown, artifacts: string): string {
  if (error instanceof Cancelled) return 'it was cancelled';
  if (error instanceof EvenkeelError) return [error.message, error.why, error.next].filter(Boolean).join(' ');
  if (isCode(error, 'ENOSPC', 'EDQUOT'))
    return `No space is left on the disk that holds ${artifacts}. Free some (old releases and logs are there too), then deploy again.`;
  if (isCode(error, 'EROFS')) return `${artifacts} cannot be written: its file system is read-only.`;
  if (isCode(error, 'EACCES', 'EPERM')) return `A file may not be read or written: ${(error as Error).message}`;
  if (isCode(error, 'EMFILE', 'ENFILE')) return 'Too many files are open on this machine. Raise the limit (ulimit -n).';
  return error instanceof Error ? error.message : String(error);
}
