import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { NO_ENTRY, pagesOf } from '../domain/project/entry.ts';
import type { EngineDeps } from '../engine/deps.ts';
import { writeFileAtomic } from '../platform/atomic-file.ts';
import type { EvenkeelPaths } from '../platform/paths.ts';
import { EvenkeelError } from '../ports/errors.ts';

const MAX_BYTES = 256 * 1024;
const DAY_MS = 86_400_000;

export const pagesFolder = ({ edgeDir }: Pick<EvenkeelPaths, 'edgeDir'>): string => join(edgeDir, 'pages');

/** Copies a page to a file that is named for its contents: under one name there is only ever one page. */
export async function keepPage(file: string, folder: string): Promise<string> {
  let text: Buffer;
  try {
    const { size } = await stat(file);
    if (size > MAX_BYTES) throw new Error(`it is larger than ${MAX_BYTES / 1024} KiB`);
    text = await readFile(file);
  } catch (cause) {
    throw new EvenkeelError({
      code: 'page-unreadable',
      what: 'a page of `errorPages` or `maintenance` cannot be used',
      where: file,
      why: cause instanceof Error ? cause.message : String(cause),
      next: 'mend it and repeat the command; nothing was changed',
      cause,
    });
  }
  const kept = join(folder, `${createHash('sha256').update(text).digest('hex').slice(0, 32)}.html`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFileAtomic(kept, text);
  return kept;
}

/** Deletes pages that nobody has named for a day: an edge may have a table of before. */
export async function collectPages(deps: Pick<EngineDeps, 'store' | 'clock'>, folder: string): Promise<void> {
  const environments = await deps.store.environments();
  const used = new Set(environments.flatMap(({ config: { environment } }) => pagesOf(environment.entry ?? NO_ENTRY)));
  for (const name of await readdir(folder).catch(() => [])) {
    const file = join(folder, name);
    const { mtimeMs } = await stat(file).catch(() => ({ mtimeMs: deps.clock.now() }));
    if (!used.has(file) && deps.clock.now() - mtimeMs > DAY_MS) await rm(file, { force: true });
  }
}
