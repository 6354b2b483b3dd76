import { randomBytes, randomUUID } from 'node:crypto';
import { link, mkdir, open, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncFolder } from '../../platform/atomic-file.ts';
import { EvenkeelError } from '../../ports/errors.ts';

const KEY_BYTES = 32;

/**
 * The key in this file, or null when there is none. Throws `secrets-key-exposed` when another user could have read or
 * replaced it, `secrets-unreadable` when it is no key.
 */
export async function readKey(path: string): Promise<Buffer | null> {
  let file;
  try {
    file = await open(path, 'r');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') return null;
    throw unusable(path, `it cannot be read (${code})`, 'Give the user that runs evenkeel access to it.', cause);
  }
  try {
    // Of the open file, not of its name: the name may stand for another file a moment later.
    const stats = await file.stat();
    if (!stats.isFile()) throw unusable(path, 'it is not a file', 'Set EVENKEEL_SECRETS_KEY_FILE to a file.');
    refuseExposed(path, stats);
    const key = Buffer.alloc(KEY_BYTES + 1);
    const { bytesRead } = await file.read(key, 0, key.length, 0);
    if (bytesRead !== KEY_BYTES)
      throw unusable(path, `a key has ${KEY_BYTES} bytes, and this file does not`, 'Put the key back from a backup.');
    return key.subarray(0, KEY_BYTES);
  } finally {
    await file.close();
  }
}

/** Makes a key, unless somebody else does at the same time: then theirs is the one. */
export async function createKey(path: string): Promise<Buffer> {
  // Whole before it has its name: after a crash there is no half of a key.
  const temporary = `${path}.${randomUUID().slice(0, 13)}.tmp`;
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await writeFile(temporary, randomBytes(KEY_BYTES), { flag: 'wx', mode: 0o600, flush: true });
    await link(temporary, path);
    // What is sealed with it is on the disk at once; the key must not be lost to a power cut.
    await syncFolder(dirname(path));
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code !== 'EEXIST')
      throw unusable(
        path,
        `it cannot be made (${code})`,
        'Set EVENKEEL_SECRETS_KEY_FILE to a file that you may write.',
        cause,
      );
  } finally {
    await rm(temporary, { force: true });
  }
  const key = await readKey(path);
  if (key === null) throw unusable(path, 'it vanished while it was made', 'Try again.');
  return key;
}

function refuseExposed(path: string, { mode, uid }: { mode: number; uid: number }): void {
  const self = process.getuid?.();
  const why =
    self !== undefined && uid !== self
      ? `it belongs to user ${uid}, and this is user ${self}`
      : (mode & 0o077) === 0
        ? null
        : 'other users may read it';
  if (why === null) return;
  throw new EvenkeelError({
    code: 'secrets-key-exposed',
    what: 'The key of the secrets store is not safe where it is.',
    where: path,
    why,
    next:
      uid === self
        ? `chmod 600 ${path}, and set the secrets anew if somebody may have seen it.`
        : `chown ${self} ${path}, or run evenkeel as its owner.`,
  });
}

function unusable(path: string, why: string, next: string, cause?: unknown): EvenkeelError {
  return new EvenkeelError({
    code: 'secrets-unreadable',
    what: 'The key of the secrets store cannot be used.',
    where: path,
    why,
    next,
    cause,
  });
}
