import { constants } from 'node:fs';
import { chmod, copyFile, lstat, mkdir, readlink, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { eachOf } from './concurrency.ts';
import { isCode } from './failure.ts';
import type { Entry, FileEntry, Manifest } from './manifest.ts';
import { isSound, type Objects } from './objects.ts';

/** Makes a folder with everything of the manifest in it, as links to objects. `target` must not exist. */
export async function linkTree(manifest: Manifest, target: string, objects: Objects): Promise<void> {
  await makeTree(manifest, target, (file, path) => objects.linkTo(file, path));
}

/** The same with files of its own, which may be written to: a place to build in. */
export async function copyTree(manifest: Manifest, target: string, objects: Objects): Promise<void> {
  await makeTree(manifest, target, async (file, path) => {
    await copyFile(objects.path(file), path, constants.COPYFILE_FICLONE);
    await chmod(path, file.executable ? 0o755 : 0o644);
  });
}

/** What is wrong with a tree, or null: all is there, and nothing was written to. */
export async function flawOf(manifest: Manifest, folder: string): Promise<string | null> {
  let flaw: string | null = null;
  await eachOf(manifest.entries, async (entry) => {
    if (flaw === null && !(await isAsListed(entry, join(folder, entry.path)))) flaw = entry.path;
  });
  return flaw;
}

async function isAsListed(entry: Entry, path: string): Promise<boolean> {
  try {
    if (entry.kind === 'link') return (await readlink(path)) === entry.to;
    const stats = await lstat(path);
    return entry.kind === 'folder' ? stats.isDirectory() : isSound(stats, entry);
  } catch (error) {
    if (isCode(error, 'ENOENT', 'ENOTDIR', 'EINVAL')) return false;
    throw error;
  }
}

async function makeTree(
  manifest: Manifest,
  target: string,
  place: (file: FileEntry, path: string) => Promise<void>,
): Promise<void> {
  const folders = new Set<string>();
  for (const entry of manifest.entries) {
    let folder = entry.kind === 'folder' ? entry.path : dirname(entry.path);
    for (; folder !== '.' && !folders.has(folder); folder = dirname(folder)) folders.add(folder);
  }
  await mkdir(target, { mode: 0o755 });
  // Sorted, a folder comes before what is in it.
  for (const folder of [...folders].toSorted()) await mkdir(join(target, folder), { mode: 0o755 });
  await eachOf(manifest.entries, async (entry) => {
    const path = join(target, entry.path);
    if (entry.kind === 'file') await place(entry, path);
    else if (entry.kind === 'link') await symlink(entry.to, path);
  });
}
