import { createHash, randomUUID } from 'node:crypto';
import { constants, createReadStream, type Stats } from 'node:fs';
import { chmod, copyFile, link, lstat, mkdir, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isCode } from './failure.ts';

/** What names an object: its content, and whether it can be executed (links share the mode of their file). */
export interface ObjectKey {
  sha: string;
  executable: boolean;
  size: number;
}

/**
 * Files by the SHA-256 of their content, read-only, to be linked into trees. An object's time of last change is when
 * its content was first seen, so that files of one size and time (of which servers make ETags) have one content; the
 * microseconds of it are derived from the digest. Whatever writes to an object changes its time, and thereby shows.
 */
export class Objects {
  readonly folder: string;
  readonly #temporary: string;

  constructor(folder: string, temporary: string) {
    this.folder = folder;
    this.#temporary = temporary;
  }

  path({ sha, executable }: ObjectKey): string {
    return join(this.folder, sha.slice(0, 2), executable ? `${sha.slice(2)}.x` : sha.slice(2));
  }

  /** Whether it is there, and nothing was written to it since. */
  async has(key: ObjectKey): Promise<boolean> {
    return isSound(await stats(this.path(key)), key);
  }

  async addContent(key: ObjectKey, content: Uint8Array): Promise<void> {
    const temporary = this.temporaryPath();
    try {
      await writeFile(temporary, content, { flag: 'wx', mode: 0o600 });
      await this.#settle(temporary, key);
    } finally {
      await rm(temporary, { force: true });
    }
  }

  /** Takes over a file that nobody writes to any more; it must lie on the same file system. Itself it stays, read-only. */
  async addByLink(key: ObjectKey, file: string): Promise<void> {
    const temporary = this.temporaryPath();
    await link(file, temporary);
    await this.#settleAndDrop(temporary, key);
  }

  async addByCopy(key: ObjectKey, file: string): Promise<void> {
    const temporary = this.temporaryPath();
    await copyFile(file, temporary, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL);
    await this.#settleAndDrop(temporary, key);
  }

  /** Puts a link to the object at a path at which there is nothing. */
  async linkTo(key: ObjectKey, target: string): Promise<void> {
    try {
      await link(this.path(key), target);
    } catch (error) {
      // A file system allows so many links to one file (65,000 on ext4): the next ones go to a new copy of it.
      if (!isCode(error, 'EMLINK')) throw error;
      await this.#renew(key);
      await link(this.path(key), target);
    }
  }

  temporaryPath(): string {
    return join(this.#temporary, randomUUID());
  }

  async #settleAndDrop(temporary: string, key: ObjectKey): Promise<void> {
    try {
      await this.#settle(temporary, key);
    } finally {
      await rm(temporary, { force: true });
    }
  }

  /** Gives the file its mode and time, then its name, unless a sound object has that already. */
  async #settle(temporary: string, key: ObjectKey): Promise<void> {
    await finish(temporary, key);
    const path = this.path(key);
    for (;;) {
      try {
        await link(temporary, path);
        return;
      } catch (error) {
        if (isCode(error, 'ENOENT') && (await stats(temporary)) !== null)
          await mkdir(dirname(path), { recursive: true, mode: 0o700 });
        else if (!isCode(error, 'EEXIST')) throw error;
        else {
          if (!(await this.has(key))) await rename(temporary, path);
          return;
        }
      }
    }
  }

  async #renew(key: ObjectKey): Promise<void> {
    const temporary = this.temporaryPath();
    try {
      await copyFile(this.path(key), temporary, constants.COPYFILE_FICLONE);
      await finish(temporary, key);
      await rename(temporary, this.path(key));
    } finally {
      await rm(temporary, { force: true });
    }
  }
}

/** Whether a file is an unchanged object; see Objects for what its time says. */
export function isSound(file: Stats | null, key: ObjectKey): boolean {
  if (file === null || !file.isFile() || file.size !== key.size) return false;
  const microseconds = Math.round((file.mtimeMs % 1000) * 1000);
  // Some file systems keep whole seconds only, and there the length has to do.
  return microseconds === 0 || Math.abs(microseconds - markOf(key.sha)) <= 2;
}

export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 256 * 1024 })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

async function finish(file: string, { sha, executable }: ObjectKey): Promise<void> {
  const time = Math.floor(Date.now() / 1000) + markOf(sha) / 1e6;
  await utimes(file, time, time);
  await chmod(file, executable ? 0o555 : 0o444);
}

/** 10 to 999,989 microseconds: rounding never carries it into another second. */
function markOf(sha: string): number {
  return (Number.parseInt(sha.slice(0, 8), 16) % 999_980) + 10;
}

async function stats(path: string): Promise<Stats | null> {
  try {
    return await lstat(path);
  } catch (error) {
    if (isCode(error, 'ENOENT')) return null;
    throw error;
  }
}
