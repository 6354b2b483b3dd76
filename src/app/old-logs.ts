import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { EngineDeps } from '../engine/deps.ts';

const DAY_MS = 86_400_000;
/** Output of what has ended stays this long. */
const KEEP_MS = 14 * DAY_MS;

/** Deletes the output of instances and jobs that ended long ago; what runs keeps its log, however quiet it is. */
export async function collectLogs(
  deps: Pick<EngineDeps, 'store' | 'runtime' | 'places' | 'clock'>,
  folder: string,
): Promise<void> {
  const alive = new Set<string>();
  for (const scope of await deps.store.environments())
    for (const each of await deps.runtime.observe(scope))
      if (each.state !== 'ended')
        alive.add(deps.places.instanceLog({ ...scope, service: each.service, instance: each.id }));
  for (const kind of ['instances', 'jobs']) {
    for (const entry of await readdir(join(folder, kind), { recursive: true, withFileTypes: true }).catch(() => [])) {
      if (!entry.isFile()) continue;
      const file = join(entry.parentPath, entry.name);
      // Older pieces and side files of a log begin with its name.
      if ([...alive].some((log) => file.startsWith(log))) continue;
      const { mtimeMs } = await stat(file).catch(() => ({ mtimeMs: deps.clock.now() }));
      if (deps.clock.now() - mtimeMs > KEEP_MS) await rm(file, { force: true });
    }
  }
}
