import { lstat, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { namesIn } from './artifacts.ts';
import { eachOf } from './concurrency.ts';
import { sweepStatCaches } from './stat-cache.ts';
import type { Workshop } from './workshop.ts';

/** So long after its end a build still protects its artifact, whose release may not have been told yet. */
const ENDED_KEPT_MS = 24 * 3_600_000;
const CACHE_KEPT_MS = 30 * 24 * 3_600_000;

/**
 * Deletes what nobody needs: trees, then the objects that no tree links to any more, records of builds long over, and
 * what crashes left half-made. Nothing is added meanwhile.
 */
export async function collectGarbage(
  shop: Workshop,
  keep: ReadonlySet<string>,
  live: { ids: ReadonlySet<string>; artifacts: ReadonlySet<string> },
  now: number,
): Promise<{ artifacts: number; bytes: number }> {
  await shop.records.sweep(live.ids, now - ENDED_KEPT_MS);
  const needed = new Set([...keep, ...live.artifacts]);
  for (const { end } of await shop.records.all()) if (end?.state === 'done') needed.add(end.artifact);
  const artifacts = await shop.artifacts.sweep(needed, shop.permit);
  shop.permit();
  await shop.inputs.sweep(needed);
  await sweepStatCaches(shop.statCaches, CACHE_KEPT_MS, now);
  return { artifacts, bytes: await sweepObjects(shop) };
}

/** What crashes left. Half-made things of running builds lie there too, so only when nothing is being made. */
export async function sweepTemporary({ temporary, permit }: Pick<Workshop, 'temporary' | 'permit'>): Promise<void> {
  for (const name of await namesIn(temporary)) {
    permit();
    await rm(join(temporary, name), { recursive: true, force: true });
  }
}

async function sweepObjects({ objects: { folder }, permit }: Workshop): Promise<number> {
  let bytes = 0;
  for (const shard of await namesIn(folder)) {
    const names = await readdir(join(folder, shard));
    await eachOf(names, async (name) => {
      const path = join(folder, shard, name);
      const stats = await lstat(path);
      if (stats.nlink > 1) return;
      permit();
      await rm(path, { force: true });
      bytes += stats.size;
    });
  }
  return bytes;
}
