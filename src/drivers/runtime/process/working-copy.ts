import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import {
  access,
  chmod,
  copyFile,
  link,
  lstat,
  mkdir,
  readdir,
  readlink,
  realpath,
  rename,
  rm,
  stat,
  symlink,
  utimes,
} from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { EvenkeelError } from '../../../ports/errors.ts';
import { isCode } from './folder.ts';

export interface WorkingCopy {
  /** Absolute folder of the artifact. */
  artifact: string;
  /** Where the copy is made; complete as soon as it exists. */
  target: string;
  /** Folder within the copy to which the paths of `data` are relative. */
  dir: string;
  data: readonly { path: string; target: string }[];
}

/**
 * Makes the copy of the artifact in which an instance runs, unless it exists, and returns its folder `dir`, absolute.
 * Throws EvenkeelError `dir-missing` or `data-outside`, or the system's error.
 *
 * Modes, times and symbolic links stay as they are. Contents of `node_modules` are hard links where the system
 * keeps programs from writing to them (not for root): they are most of the files and bytes of a typical artifact. Their
 * caches, which programs do write to, lie in hidden folders and are copied.
 */
export async function makeWorkingCopy({ artifact, target, dir, data }: WorkingCopy): Promise<string> {
  if (!(await exists(target))) await makeCopy({ artifact, target, dir, data });
  const folder = resolve(target, dir);
  const stats = await stat(folder).catch(() => null);
  const within = folder === resolve(target) || inside(resolve(target), folder);
  if (within && stats?.isDirectory() === true) return folder;
  throw new EvenkeelError({
    code: 'dir-missing',
    what: `The artifact has no folder ${JSON.stringify(dir)}.`,
    next: 'Correct `dir` of the service, or what its build leaves behind.',
  });
}

async function makeCopy({ artifact, target, dir, data }: WorkingCopy): Promise<void> {
  const temporary = `${target}.${randomUUID().slice(0, 8)}.tmp`;
  try {
    await copyTree(artifact, temporary);
    for (const folder of data) await linkData(temporary, dir, folder);
    // A rename replaces an empty folder, in which another's process may stand already.
    if ((await readdir(temporary)).length === 0) await mkdir(target, { recursive: true, mode: 0o700 });
    else await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    // Two controllers at once: whichever was first, the copies are the same.
    if (!(isCode(error, 'ENOTEMPTY', 'EEXIST') && (await exists(target)))) throw error;
  }
}

/** What starts that were cut short left beside the copy. */
export async function removeUnfinishedCopies(target: string): Promise<void> {
  for (const name of await readdir(dirname(target))) {
    if (name.startsWith(`${basename(target)}.`))
      await rm(join(dirname(target), name), { recursive: true, force: true });
  }
}

interface Plan {
  files: { from: string; to: string; linked: boolean }[];
  links: { from: string; to: string }[];
  /** Modes are set at the end: into a folder that may not be written nothing can be copied. */
  folders: { to: string; mode: number }[];
}

async function copyTree(from: string, to: string): Promise<void> {
  const plan: Plan = { files: [], links: [], folders: [] };
  await planFolder(from, to, '', plan);
  await each(plan.files, async (file) => {
    const shared = file.linked && (await isProtected(file.from)) && (await hardLink(file.from, file.to));
    if (!shared) await copy(file.from, file.to);
  });
  await each(plan.links, async (entry) => symlink(await readlink(entry.from), entry.to));
  for (const { to: folder, mode } of plan.folders.toReversed()) await chmod(folder, mode);
}

async function planFolder(from: string, to: string, within: string, plan: Plan): Promise<void> {
  const { mode } = await stat(from);
  await mkdir(to, { mode: 0o700 });
  plan.folders.push({ to, mode: mode & 0o7777 });
  const linked = isLinked(within);
  const subfolders: Promise<void>[] = [];
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const pair = { from: join(from, entry.name), to: join(to, entry.name) };
    if (entry.isDirectory()) subfolders.push(planFolder(pair.from, pair.to, join(within, entry.name), plan));
    else if (entry.isSymbolicLink()) plan.links.push(pair);
    else if (entry.isFile()) plan.files.push({ ...pair, linked });
    // Sockets and pipes are nothing that could be shipped.
  }
  await Promise.all(subfolders);
}

/** Whether files of this folder (relative to the artifact) are linked: below node_modules, but not in a hidden folder. */
function isLinked(within: string): boolean {
  const parts = within.split(sep);
  const start = parts.indexOf('node_modules');
  // `.pnpm` is where pnpm keeps the packages themselves.
  return start !== -1 && parts.slice(start).every((part) => !part.startsWith('.') || part === '.pnpm');
}

/**
 * Whether this user's programs cannot write to a file as it is. To root a file's mode means nothing: what an instance of
 * his overwrote (a code generator in `migrate`, say) would be overwritten in every release that has the same file.
 */
async function isProtected(path: string): Promise<boolean> {
  return access(path, constants.W_OK).then(
    () => false,
    (error: unknown) => isCode(error, 'EACCES', 'EPERM'),
  );
}

async function hardLink(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (isCode(error, 'EXDEV', 'EMLINK', 'EPERM', 'ENOTSUP')) return false;
    throw error;
  }
}

/**
 * Times are kept because servers make their ETags of them: all instances of a release shall agree. An artifact's files
 * are read-only; the copy is the instance's own to change.
 */
async function copy(from: string, to: string): Promise<void> {
  const { atime, mtime, mode } = await stat(from);
  await copyFile(from, to, constants.COPYFILE_FICLONE);
  await chmod(to, (mode & 0o7777) | 0o200);
  await utimes(to, atime, mtime);
}

/** Puts a link to the shared folder in the place of whatever the release brought there itself. */
async function linkData(
  copyRoot: string,
  dir: string,
  { path, target }: { path: string; target: string },
): Promise<void> {
  const root = await realpath(copyRoot);
  const place = resolve(root, dir, path);
  if (!inside(root, place)) throw outside(path);
  await mkdir(target, { recursive: true, mode: 0o700 });
  await mkdir(dirname(place), { recursive: true });
  // A link in the artifact could lead the path out of the copy.
  if (!inside(root, join(await realpath(dirname(place)), 'x'))) throw outside(path);
  await rm(place, { recursive: true, force: true });
  await symlink(target, place);
}

function inside(root: string, path: string): boolean {
  const way = relative(root, path);
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`);
}

function outside(path: string): EvenkeelError {
  return new EvenkeelError({
    code: 'data-outside',
    what: `The data folder ${JSON.stringify(path)} lies outside of the service.`,
    next: 'Name a folder below the folder of the service in `data`.',
  });
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

/** At most 16 at once: enough to keep the disk busy, few enough file descriptors. */
async function each<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async () => {
    for (let item = items[next++]; item !== undefined; item = items[next++]) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(16, items.length) }, worker));
}
