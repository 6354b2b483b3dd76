import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { rotateLog, type RotationLimits } from '../drivers/runtime/process/logs/log-rotation.ts';

const MB = 1024 * 1024;

export const BOUND_LOGS_EVERY_MS = 5_000;

/** What evenkeel's own processes say outside of their logs: the reasons of crashes, and what the edge has to tell. */
const OWN: RotationLimits = { maxBytes: 2 * MB, keep: 1 };
const ACCESS: RotationLimits = { maxBytes: 10 * MB, keep: 4 };
const JOBS: RotationLimits = { maxBytes: 10 * MB, keep: 2 };

/**
 * Keeps the output of jobs and of evenkeel's own processes, and access logs, below a size: a build that talks for ever, or an edge that
 * runs for years, must not fill the disk. (Those of instances are looked after by `maintainLogs`.)
 */
export async function boundLogs(folder: string, { own = OWN, jobs = JOBS, access = ACCESS } = {}): Promise<void> {
  const failures: unknown[] = [];
  const bound = (file: string, limits: RotationLimits): Promise<unknown> =>
    rotateLog(file, limits).catch((error: unknown) => failures.push(error));
  for (const name of await readdir(folder).catch(() => []))
    if (name.endsWith('.out.log')) await bound(join(folder, name), own);
  for (const [kind, limits] of [
    ['jobs', jobs],
    ['access', access],
  ] as const) {
    const kept = await readdir(join(folder, kind), { recursive: true, withFileTypes: true }).catch(() => []);
    for (const entry of kept) {
      if (!entry.isFile() || !entry.name.endsWith('.log')) continue;
      const file = join(entry.parentPath, entry.name);
      // Most are old and small, and this costs them one call.
      const size = (await stat(file).catch(() => null))?.size ?? 0;
      if (size > limits.maxBytes) await bound(file, limits);
    }
  }
  if (failures.length > 0) throw failures[0];
}
