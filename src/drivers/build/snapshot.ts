import type { BigIntStats } from 'node:fs';
import { copyFile, constants, lstat, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { eachOf } from './concurrency.ts';
import { buildFailed, Cancelled, isCode } from './failure.ts';
import { decideLink } from './links.ts';
import { manifestOf, sha256, type Entry, type Manifest } from './manifest.ts';
import { hashFile, type Objects } from './objects.ts';
import type { SourceList } from './source-list.ts';
import type { StatCache } from './stat-cache.ts';

/** Larger files are not held in memory. */
const SMALL = 256 * 1024;

/** A file that is written to while it is read is read again so many times. */
const TRIES = 10;

export interface SnapshotOptions {
  /** Absolute, links resolved. */
  root: string;
  list: SourceList;
  /** Where content goes that is not there yet; null to look only. */
  objects: Objects | null;
  /** The files lie beside the objects and nobody writes to them any more: link them rather than copy. */
  takeOver: boolean;
  cache: StatCache | null;
  signal: AbortSignal;
  /** Called with the number of files done so far. */
  progress: (files: number) => void;
}

export interface Snapshot {
  manifest: Manifest;
  /** What was left out and why, for the log of the build. */
  notes: string[];
}

/** Reads a tree of files that others may be writing to, each file as it was at one moment. */
export async function takeSnapshot(options: SnapshotOptions): Promise<Snapshot> {
  const { list, signal, progress } = options;
  const entries: Entry[] = list.folders.map((path) => ({ kind: 'folder', path }));
  const notes: string[] = [];
  let done = 0;
  await eachOf(list.files, async (path) => {
    if (signal.aborted) throw new Cancelled();
    const read = await readOne(path, options);
    if (typeof read === 'string') notes.push(read);
    else if (read !== null) entries.push(read);
    progress(++done);
  });
  return { manifest: manifestOf(entries), notes: notes.toSorted() };
}

/** Null: it is gone. A text: why it is left out. */
async function readOne(path: string, options: SnapshotOptions): Promise<Entry | string | null> {
  const file = join(options.root, path);
  try {
    for (let tries = 0; tries < TRIES; tries++) {
      const before = await lstat(file, { bigint: true });
      if (before.isSymbolicLink()) {
        const link = await decideLink(options.root, path);
        return 'refused' in link ? link.refused : { kind: 'link', path, to: link.to };
      }
      if (before.isDirectory()) return null; // a file when it was listed
      if (!before.isFile()) return `${path} is neither file, folder nor link (a socket or pipe?) and was left out`;
      const sha = await contentOf(path, before, options);
      if (sha !== null) return { kind: 'file', path, executable: isExecutable(before), size: Number(before.size), sha };
    }
  } catch (error) {
    // Deleted since it was listed. A name that is not UTF-8 never is found by what it was read as.
    if (isCode(error, 'ENOENT', 'ENOTDIR'))
      return path.includes('\ufffd') ? `${path} has a name that is not UTF-8 and was left out` : null;
    if (isCode(error, 'EACCES', 'EPERM'))
      throw buildFailed(`${path} may not be read.`, `chmod u+r it, or leave it out of the project.`, error);
    throw error;
  }
  throw buildFailed(
    `${path} was written to again and again while it was copied.`,
    'Stop what writes there, or name its folder in `data` of the service.',
  );
}

/** The digest of a file, its content stored where that is asked for; null when the file changed meanwhile. */
async function contentOf(path: string, before: BigIntStats, options: SnapshotOptions): Promise<string | null> {
  const { objects, cache } = options;
  const key = { executable: isExecutable(before), size: Number(before.size) };
  const known = cache?.get(path, before) ?? null;
  if (known !== null && (objects === null || (await objects.has({ ...key, sha: known })))) return known;
  const file = join(options.root, path);
  const unchanged = async (): Promise<boolean> => isSame(before, await lstat(file, { bigint: true }));

  let sha: string;
  if (key.size <= SMALL) {
    const content = await readFile(file);
    if (content.length !== key.size || !(await unchanged())) return null;
    sha = sha256(content);
    if (objects !== null && !(await objects.has({ ...key, sha }))) {
      if (options.takeOver && before.nlink === 1n) await objects.addByLink({ ...key, sha }, file);
      else await objects.addContent({ ...key, sha }, content);
    }
  } else if (objects === null || options.takeOver) {
    sha = await hashFile(file);
    if (!(await unchanged())) return null;
    if (objects !== null && !(await objects.has({ ...key, sha })))
      // Other names of the file (a package manager's store, say) would be ours to break, and we theirs.
      await (before.nlink === 1n ? objects.addByLink({ ...key, sha }, file) : objects.addByCopy({ ...key, sha }, file));
  } else {
    // What is hashed is the copy: the file itself may change between two readings.
    const copy = objects.temporaryPath();
    try {
      await copyFile(file, copy, constants.COPYFILE_FICLONE);
      if (!(await unchanged())) return null;
      sha = await hashFile(copy);
      if (!(await objects.has({ ...key, sha }))) await objects.addByLink({ ...key, sha }, copy);
    } finally {
      await rm(copy, { force: true });
    }
  }
  cache?.set(path, before, sha);
  return sha;
}

function isSame(before: BigIntStats, after: BigIntStats): boolean {
  return (
    before.ino === after.ino &&
    before.size === after.size &&
    before.mtimeNs === after.mtimeNs &&
    before.mode === after.mode
  );
}

const isExecutable = (stats: BigIntStats): boolean => (stats.mode & 0o111n) !== 0n;
