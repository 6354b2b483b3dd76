import { randomUUID } from 'node:crypto';
import { link, lstat, rename, rm, writeFile } from 'node:fs/promises';
import { EvenkeelError } from '../ports/errors.ts';
import { randomToken } from './ids.ts';
import { readTextIfThere } from './read-json.ts';

/** The token in this file, made if there is none; of several who make it at once, all get the same. */
export async function readOrCreateToken(path: string): Promise<string> {
  const known = await readToken(path);
  if (known !== null) return known;
  // Written whole under another name and then linked: nobody ever reads half a token, and only one link succeeds.
  const temporary = `${path}.${randomUUID().slice(0, 13)}.tmp`;
  await writeFile(temporary, `${randomToken()}\n`, { mode: 0o600, flag: 'wx', flush: true });
  try {
    await link(temporary, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    // An empty one is of no use to anybody.
    if ((await readToken(path)) === null) await rename(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
  const token = await readToken(path);
  if (token === null) throw new Error(`${path} vanished while it was being made`);
  return token;
}

/** The token in this file, or null when there is none, or nothing in it. Throws `token-exposed` when others could read it. */
export async function readToken(path: string): Promise<string | null> {
  const text = await readTextIfThere(path);
  if (text === null) return null;
  const { mode } = await lstat(path);
  if ((mode & 0o077) !== 0) {
    throw new EvenkeelError({
      code: 'token-exposed',
      what: 'The file with the access token is open to other users.',
      where: path,
      next: `Remove it (rm ${path}); a new one is made at the next start.`,
    });
  }
  const token = text.trim();
  return token === '' ? null : token;
}
