import { EvenkeelError } from '../../ports/errors.ts';
import type { SecretScope } from '../../ports/secrets.ts';

/** What the secrets store says when it cannot do what it is asked. Values are never part of a message. */

const NAME = /^[A-Z][A-Z0-9_]*$/;
/** Linux takes no longer string into an environment. */
const MAX_BYTES = 120 * 1024;

const SQLITE_FULL = 13;

export function secretMissing({ environment }: SecretScope, names: string[]): EvenkeelError {
  const one = names.length === 1;
  return new EvenkeelError({
    code: 'secret-missing',
    what: `The ${one ? 'secret' : 'secrets'} ${names.join(', ')} ${one ? 'is' : 'are'} not set for ${environment}.`,
    where: 'env in evenkeel.yaml',
    next: names.map((name) => `evenkeel secrets set ${name} --env ${environment}`).join('\n'),
  });
}

/** Throws `secret-invalid` for a name or a value that no environment can hold. */
export function refuseUnusable(name: string, value: string): void {
  const why = !NAME.test(name)
    ? 'names consist of capital letters, digits and _, and begin with a letter'
    : value.includes('\0')
      ? 'its value holds a NUL character, which no environment can hold'
      : Buffer.byteLength(value) > MAX_BYTES
        ? `its value is longer than ${MAX_BYTES / 1024} KiB, which no environment can hold`
        : null;
  if (why === null) return;
  throw new EvenkeelError({
    code: 'secret-invalid',
    what: `The secret ${JSON.stringify(name)} cannot be stored.`,
    why,
    next: 'evenkeel secrets set NAME',
  });
}

export function secretsUnwritable(file: string, cause: unknown): EvenkeelError {
  const { code, errcode } = cause as NodeJS.ErrnoException & { errcode?: number };
  // The lock is SQLite's, and says it in its own way.
  const full = code === 'ENOSPC' || errcode === SQLITE_FULL;
  return new EvenkeelError({
    code: 'secrets-unwritable',
    what: 'The secret was not stored.',
    where: file,
    why: full ? 'no space is left on the disk' : `the file cannot be written (${code})`,
    next: 'Nothing was changed; correct that and try again.',
    retryable: true,
    cause,
  });
}

export function secretsBusy(file: string): EvenkeelError {
  return new EvenkeelError({
    code: 'secrets-busy',
    what: 'The secret was not stored.',
    where: file,
    why: 'another process keeps the file locked',
    next: 'Nothing was changed; try again.',
    retryable: true,
  });
}
