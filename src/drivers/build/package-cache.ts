import { lstat, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { namesIn } from './artifacts.ts';
import { eachOf } from './concurrency.ts';
import { isCode } from './failure.ts';
import type { Workshop } from './workshop.ts';

/** Bytes that the caches of package managers may take together. */
export const MOST_CACHED = 5 * 1024 ** 3;

/**
 * Begins the package managers' cache anew when it holds more than `most` bytes: they only ever add to it, and none of
 * them offers to keep it below a size. The next build downloads again what it needs. Does nothing while `busy` says that
 * a build may be using it.
 */
export async function boundPackageCache(
  { packageCache, objects, gate }: Pick<Workshop, 'packageCache' | 'objects' | 'gate'>,
  most: number,
  busy: () => boolean,
): Promise<boolean> {
  if ((await sizeOf(packageCache)) <= most) return false;
  const doomed: string[] = [];
  await gate.exclusive(async () => {
    if (busy()) return;
    // Out of the way first, at one stroke each: deleting takes a while, and a build may begin meanwhile.
    for (const name of await namesIn(packageCache)) {
      const away = objects.temporaryPath();
      try {
        await rename(join(packageCache, name), away);
        doomed.push(away);
      } catch (error) {
        if (!isCode(error, 'EXDEV')) throw error;
        doomed.push(join(packageCache, name)); // a disk of its own
      }
    }
  });
  for (const path of doomed) await rm(path, { recursive: true, force: true });
  return doomed.length > 0;
}

async function sizeOf(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  let bytes = 0;
  await eachOf(
    entries.filter((entry) => entry.isFile()),
    async (entry) => {
      const stats = await lstat(join(entry.parentPath, entry.name)).catch(() => null);
      bytes += stats?.size ?? 0;
    },
  );
  return bytes;
}
