import { createHash, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { link, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { readTextIfThere } from './read-json.ts';

export interface AtomicWriteOptions {
  /** File mode; for its owner alone by default. */
  mode?: number;
  /** False when nobody needs it after a power cut: then nothing waits for the disk. */
  durable?: boolean;
}

/**
 * Replaces a file as one step: whoever reads sees the old or the new content, when `durable` (the default) also after a
 * power cut, and then it resolves when the content is on disk. Two writers at once leave one of the two contents; give an order to them where it matters.
 */
export async function writeFileAtomic(
  path: string,
  content: string | Uint8Array,
  { mode = 0o600, durable = true }: AtomicWriteOptions = {},
): Promise<void> {
  const temporary = await writeTemporary(path, content, mode, durable);
  try {
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  if (durable) await syncFolder(dirname(path));
}

/**
 * Like `writeFileAtomic`, for a value that must survive whatever happens to the disk: with a checksum, and the former
 * version kept beside it as `<path>.former`. Read it with `readChecked`.
 */
export async function writeChecked(path: string, value: unknown, options: { mode?: number } = {}): Promise<void> {
  const content = seal(JSON.stringify(value));
  const temporary = await writeTemporary(path, content, options.mode ?? 0o600, true);
  try {
    await keepFormer(path);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(dirname(path));
}

export type Checked =
  | { from: 'current' | 'former'; value: unknown; problem: string | null }
  /** `problem` is null when there never was such a file, else what is wrong with what is there. */
  | { from: 'none'; value: null; problem: string | null };

/** What `writeChecked` wrote, from the former version when the current one is missing or damaged. Never throws for damage. */
export async function readChecked(path: string): Promise<Checked> {
  const problems: string[] = [];
  for (const [from, file] of [
    ['current', path],
    ['former', former(path)],
  ] as const) {
    const content = await readTextIfThere(file);
    if (content === null) continue;
    const opened = unseal(content);
    if (opened.ok) return { from, value: opened.value, problem: problems[0] ?? null };
    problems.push(`${file}: ${opened.problem}`);
  }
  return { from: 'none', value: null, problem: problems.length === 0 ? null : problems.join('; ') };
}

/** The newest version of such a file, at once; null when there is none, or none that is whole. */
export function readCheckedNow(path: string): unknown {
  try {
    const opened = unseal(readFileSync(path, 'utf8'));
    return opened.ok ? opened.value : null;
  } catch {
    return null;
  }
}

async function keepFormer(path: string): Promise<void> {
  // Only a sound version is worth keeping: a damaged one must not push out the good one before it.
  const content = await readTextIfThere(path);
  if (content === null || !unseal(content).ok) return;
  await rm(former(path), { force: true });
  await link(path, former(path));
}

const former = (path: string): string => `${path}.former`;

const seal = (json: string): string => `evenkeel-checked ${digest(json)}\n${json}\n`;

function unseal(content: string): { ok: true; value: unknown } | { ok: false; problem: string } {
  const [, checksum, json] = /^evenkeel-checked ([0-9a-f]{64})\n(.*)\n$/s.exec(content) ?? [];
  if (checksum === undefined || json === undefined) return { ok: false, problem: 'incomplete' };
  if (digest(json) !== checksum) return { ok: false, problem: 'the checksum does not match' };
  return { ok: true, value: JSON.parse(json) };
}

const digest = (text: string): string => createHash('sha256').update(text).digest('hex');

async function writeTemporary(
  path: string,
  content: string | Uint8Array,
  mode: number,
  durable: boolean,
): Promise<string> {
  const temporary = `${path}.${randomUUID().slice(0, 13)}.tmp`;
  const file = await open(temporary, 'wx', mode);
  try {
    await file.writeFile(content);
    if (durable) await file.sync();
  } catch (error) {
    await file.close();
    await rm(temporary, { force: true });
    throw error;
  }
  await file.close();
  return temporary;
}

/** Unfinished files of this age, ms, have no writer any more. */
const ABANDONED = 10 * 60_000;

/** Deletes what writers that were killed left in a folder: a process that is killed again and again leaves one each time. */
export async function sweepUnfinished(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    if (!/\.[0-9a-f]{8}-[0-9a-f]{4}\.tmp$/.test(name)) continue;
    const written = await stat(join(folder, name)).catch(() => null);
    if (written !== null && Date.now() - written.mtimeMs > ABANDONED) await rm(join(folder, name), { force: true });
  }
}

/** After this a name that was given, or taken away, in the folder is so after a power cut too. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
