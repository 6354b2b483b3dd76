import { readdir, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { EngineDeps } from '../engine/deps.ts';

const DAY_MS = 86_400_000;
/** Output of what has ended stays this long. */
const KEEP_MS = 14 * DAY_MS;
/** All logs of a home together, bytes. */
const MOST = 4 * 1024 ** 3;
/** Less where the disk is small: this part of it. */
const SHARE = 0.1;

/**
 * Deletes the output of instances and jobs that ended long ago, and access logs nobody writes to; what runs keeps its log, however quiet it is. While all of
 * it together is more than `most` bytes, the oldest goes as well, of what runs only what was rotated away. Answers how
 * many bytes that were.
 */
export async function collectLogs(
  deps: Pick<EngineDeps, 'store' | 'runtime' | 'places' | 'clock'>,
  folder: string,
  most?: number,
): Promise<number> {
  const alive = new Set<string>();
  for (const scope of await deps.store.environments())
    for (const each of await deps.runtime.observe(scope))
      if (each.state !== 'ended')
        alive.add(deps.places.instanceLog({ ...scope, service: each.service, instance: each.id }));
  const now = deps.clock.now();
  const kept: Kept[] = [];
  for (const kind of ['instances', 'jobs', 'access']) {
    for (const entry of await readdir(join(folder, kind), { recursive: true, withFileTypes: true }).catch(() => [])) {
      if (!entry.isFile()) continue;
      const file = join(entry.parentPath, entry.name);
      // Older pieces and side files of a log begin with its name.
      const lives = [...alive].some((log) => file.startsWith(log));
      const stats = await stat(file).catch(() => null);
      if (stats === null) continue;
      if (!lives && now - stats.mtimeMs > KEEP_MS) await rm(file, { force: true });
      // The front of a log is a hole: what counts is what lies on the disk.
      else
        kept.push({
          file,
          at: stats.mtimeMs,
          bytes: stats.blocks * 512,
          lives,
        });
    }
  }
  return boundAll(kept, most ?? (await mostFor(folder)));
}

interface Kept {
  file: string;
  at: number;
  bytes: number;
  /** Of an instance that runs. */
  lives: boolean;
}

const PIECE = /^(.*)\.\d{15}$/;

/** What has ended before pieces of what runs, the oldest of each first. */
async function boundAll(files: Kept[], most: number): Promise<number> {
  // The newest piece says where the live file begins.
  const newest = new Map<string, string>();
  for (const { file } of files) {
    const log = PIECE.exec(file)?.[1];
    if (log !== undefined && file > (newest.get(log) ?? '')) newest.set(log, file);
  }
  const spare = ({ file, lives }: Kept): boolean => {
    const log = PIECE.exec(file)?.[1];
    return !lives || (log !== undefined && newest.get(log) !== file);
  };
  let total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  let freed = 0;
  for (const { file, bytes } of files
    .filter(spare)
    .toSorted((a, b) => Number(a.lives) - Number(b.lives) || a.at - b.at)) {
    if (total <= most) break;
    await rm(file, { force: true });
    total -= bytes;
    freed += bytes;
  }
  return freed;
}

async function mostFor(folder: string): Promise<number> {
  const disk = await statfs(folder).catch(() => null);
  return disk === null ? MOST : Math.min(MOST, disk.blocks * disk.bsize * SHARE);
}
