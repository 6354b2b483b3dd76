import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Files that are whole or not there: a line with a SHA-256, then the text it is of. Written to a neighbour and renamed,
 * so a reader never meets half of one, and a torn one (power loss, a full disk) is known by its checksum.
 */

const checksum = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Writes atomically. `durable`: on the disk when this returns; otherwise it outlives the process, not the machine. */
export function writeWhole(path: string, text: string, durable: boolean): void {
  const temporary = `${path}.${process.pid}.tmp`;
  const file = openSync(temporary, 'w', 0o600);
  try {
    writeSync(file, `${checksum(text)}\n${text}`);
    if (durable) fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
  if (durable) syncFolder(dirname(path));
}

/**
 * The same without making requests wait: even an unsynced rename blocks while the filesystem's journal is busy with
 * somebody else's fsync. Outlives the process, not the machine. Never call it twice at once for the same path.
 */
export async function writeWholeAside(path: string, text: string): Promise<void> {
  const temporary = `${path}.${process.pid}.aside`;
  await writeFile(temporary, `${checksum(text)}\n${text}`, { mode: 0o600 });
  await rename(temporary, path);
}

/** A rename is on the disk once its folder is. */
export function syncFolder(path: string): void {
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

export type WholeFile =
  | { readonly state: 'whole'; readonly text: string }
  | { readonly state: 'absent' }
  | { readonly state: 'torn'; readonly why: string };

export function readWhole(path: string): WholeFile {
  let content: string;
  try {
    content = readFileSync(path, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' ? { state: 'absent' } : { state: 'torn', why: message };
  }
  const end = content.indexOf('\n');
  if (end < 0) return { state: 'torn', why: 'it has no checksum line' };
  const text = content.slice(end + 1);
  if (checksum(text) !== content.slice(0, end)) return { state: 'torn', why: 'its checksum does not match' };
  return { state: 'whole', text };
}
