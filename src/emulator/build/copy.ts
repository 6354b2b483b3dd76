import { constants } from 'node:fs';
import { cp, lstat, mkdir, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, posix } from 'node:path';
import { BuildFailure } from './image.ts';
import { inFolder } from './image-paths.ts';
import { patternToExpression } from '../../lib/docker-ignore.ts';

export interface CopyFrom {
  /** Of the context, or of another stage. */
  folder: string;
  /** What a .dockerignore keeps out; nothing in another stage. */
  ignored: (path: string) => boolean;
}

const isFolder = async (path: string): Promise<boolean> => {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
};

/**
 * As COPY does: the contents of a folder, a file under its name or the one given, patterns for several. Throws a
 * BuildFailure when a source is not there.
 */
export async function copyInto(
  from: CopyFrom,
  sources: readonly string[],
  target: { folder: string; path: string },
  copyFile: (source: string, destination: string) => Promise<void> = plainCopy,
): Promise<void> {
  const found: string[] = [];
  for (const source of sources) {
    const path = posix.normalize(`/${source}`).slice(1).replace(/\/+$/, '');
    const matches = hasWildcard(path) ? await matching(from, path) : (await there(from, path)) ? [path] : [];
    if (matches.length === 0)
      throw new BuildFailure(
        `failed to compute cache key: "/${path}": not found (in the build context, or in the stage copied from)`,
      );
    found.push(...matches);
  }
  const into = inFolder(target.folder, target.path);
  const toFolder = target.path.endsWith('/') || found.length > 1 || (await isFolder(into));
  for (const path of found) {
    const source = join(from.folder, path);
    if (await isFolder(source)) await copyFolder(from, path, into, copyFile);
    else {
      const destination = toFolder ? join(into, basename(path)) : into;
      await mkdir(dirname(destination), { recursive: true });
      await copyFile(source, destination);
    }
  }
}

const plainCopy = (source: string, destination: string): Promise<void> =>
  cp(source, destination, { force: true, verbatimSymlinks: true, mode: constants.COPYFILE_FICLONE });

async function there({ folder, ignored }: CopyFrom, path: string): Promise<boolean> {
  if (path === '') return true;
  try {
    const stats = await lstat(join(folder, path));
    // A folder that is kept out may still have something in it that is not.
    return stats.isDirectory() || !ignored(path);
  } catch {
    return false;
  }
}

const hasWildcard = (path: string): boolean => /[*?[]/.test(path);

async function matching(from: CopyFrom, pattern: string): Promise<string[]> {
  const expression = patternToExpression(pattern);
  const depth = pattern.split('/').length;
  const found: string[] = [];
  const walk = async (path: string, level: number): Promise<void> => {
    if (!(await isFolder(join(from.folder, path)))) return;
    for (const name of (await readdir(join(from.folder, path))).toSorted()) {
      const full = path === '' ? name : `${path}/${name}`;
      if (expression.test(full) && !from.ignored(full)) found.push(full);
      else if (level < depth || pattern.includes('**')) await walk(full, level + 1);
    }
  };
  await walk('', 1);
  return found;
}

async function copyFolder(
  from: CopyFrom,
  path: string,
  into: string,
  copyFile: (source: string, destination: string) => Promise<void>,
): Promise<void> {
  await mkdir(into, { recursive: true });
  for (const entry of await readdir(join(from.folder, path), { withFileTypes: true })) {
    const full = path === '' ? entry.name : `${path}/${entry.name}`;
    const ignored = from.ignored(full);
    if (entry.isDirectory()) {
      if (!ignored || (await keepsSome(from, full))) await copyFolder(from, full, join(into, entry.name), copyFile);
    } else if (!ignored && (entry.isFile() || entry.isSymbolicLink()))
      await copyFile(join(from.folder, full), join(into, entry.name));
  }
}

/** Whether there is anything in an ignored folder that a later pattern takes back in. */
async function keepsSome(from: CopyFrom, path: string): Promise<boolean> {
  for (const entry of await readdir(join(from.folder, path), { withFileTypes: true })) {
    const full = `${path}/${entry.name}`;
    if (!from.ignored(full) || (entry.isDirectory() && (await keepsSome(from, full)))) return true;
  }
  return false;
}
