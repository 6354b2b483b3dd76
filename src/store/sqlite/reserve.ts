import { randomBytes } from 'node:crypto';
import { dirname } from 'node:path';
import { open, rm, stat, statfs } from 'node:fs/promises';

const RESERVE_BYTES = 1024 * 1024;

/** Free space from which on the reserve is made again: enough that this does not fill the disk at once. */
const ENOUGH = 8 * RESERVE_BYTES;

/** How often, in ms, a full disk is looked at again. */
const LOOK_AGAIN_MS = 5_000;

/** Room on the disk, kept by a file that can be deleted when there is none left. */
export interface Reserve {
  /** Gives the room free. False when it was given already. */
  spend(): Promise<boolean>;
  /** Whether the room is there; takes it again when there is space, looking every few seconds. */
  kept(): Promise<boolean>;
}

export async function keepReserve(file: string): Promise<Reserve> {
  let kept = (await sizeOf(file)) >= RESERVE_BYTES;
  if (!kept) kept = await fill(file);
  let lookedAt = performance.now();
  return {
    async spend() {
      if (!kept) return false;
      kept = false;
      lookedAt = performance.now();
      await rm(file, { force: true });
      return true;
    },
    async kept() {
      if (kept || performance.now() - lookedAt < LOOK_AGAIN_MS) return kept;
      lookedAt = performance.now();
      const { bavail, bsize } = await statfs(dirname(file));
      if (bavail * bsize >= ENOUGH) kept = await fill(file);
      return kept;
    },
  };
}

async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch {
    return 0;
  }
}

/**
 * Random bytes, since a file system that compresses or finds holes would keep no room for zeros. Written in place: two
 * that open the store at once do no harm, and a file cut short by a crash is found too small.
 */
async function fill(file: string): Promise<boolean> {
  try {
    const handle = await open(file, 'w', 0o600);
    try {
      await handle.writeFile(randomBytes(RESERVE_BYTES));
      await handle.sync();
    } finally {
      await handle.close();
    }
    return true;
  } catch (error) {
    await rm(file, { force: true }).catch(() => {});
    const code = error instanceof Error && 'code' in error ? error.code : null;
    if (code === 'ENOSPC' || code === 'EDQUOT') return false;
    throw error;
  }
}
