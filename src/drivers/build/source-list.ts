import { readdir } from 'node:fs/promises';
import { isAbsolute, join, relative, sep } from 'node:path';
import { buildFailed, isCode } from './failure.ts';
import { git, isInRepository } from './git.ts';
import { isIgnored, readRules, type IgnoreRules } from './ignore-rules.ts';

export interface SourceRules {
  /** What git would commit, without node_modules: for a build. Else everything as it lies there. */
  clean: boolean;
  /** Relative to the root; left out, as are .git, .env files and evenkeel.yaml. */
  data: readonly string[];
  /** Absolute folders to leave out, such as evenkeel's own when it lies within the project. */
  foreign: readonly string[];
}

/** Relative paths with forward slashes. Files may be links or special files: only a look at each tells. */
export interface SourceList {
  files: string[];
  folders: string[];
}

/** Names what a release of a project's folder consists of. Throws the system's error when the folder cannot be read. */
export async function listSource(root: string, rules: SourceRules): Promise<SourceList> {
  const isLeftOut = leaveOut(root, rules);
  if (!rules.clean) return walk(root, isLeftOut);
  if (!(await isInRepository(root)))
    return { files: (await walk(root, isLeftOut, { ignoreFiles: true })).files, folders: [] };
  const files = await listCommitted(root, '');
  return { files: files.filter((path) => !hasPartLeftOut(path, isLeftOut)), folders: [] };
}

/** Everything below a folder, for what a build left there. */
export function listBuilt(root: string, data: readonly string[]): Promise<SourceList> {
  const folders = new Set(data);
  return walk(root, (path, name) => name === '.git' || folders.has(path));
}

/** What it says of a service is that one's configuration: another service in it changes nothing for this one. */
const PROJECT_FILE = 'evenkeel.yaml';

type LeftOut = (path: string, name: string, isFolder: boolean) => boolean;

function leaveOut(root: string, { clean, data, foreign }: SourceRules): LeftOut {
  const inside = foreign.map((folder) => relative(root, folder).split(sep).join('/'));
  const paths = new Set([
    ...data,
    ...inside.filter((path) => path !== '' && !path.startsWith('..') && !isAbsolute(path)),
  ]);
  return (path, name, isFolder) =>
    name === '.git' ||
    path === PROJECT_FILE ||
    (!isFolder && name.startsWith('.env')) || // they hold secrets
    (clean && name === 'node_modules') ||
    paths.has(path);
}

function hasPartLeftOut(path: string, isLeftOut: LeftOut): boolean {
  const parts = path.split('/');
  return parts.some((name, i) => isLeftOut(parts.slice(0, i + 1).join('/'), name, i < parts.length - 1));
}

/** Tracked files and new ones that are not ignored. Throws `build-failed` when git cannot list them: nobody else knows which they are. */
async function listCommitted(root: string, within: string): Promise<string[]> {
  const folder = join(root, within);
  const [listed, staged] = await Promise.all([
    git(folder, ['ls-files', '-z', '--cached', '--others', '--exclude-standard']),
    git(folder, ['ls-files', '-z', '--stage']),
  ]);
  if (listed === null || staged === null)
    throw buildFailed(
      `git could not list the files of ${folder}.`,
      'Look what `git ls-files` says there: its index may be damaged.',
    );
  const submodules = new Set(
    staged.split('\0').flatMap((line) => (line.startsWith('160000 ') ? [line.slice(line.indexOf('\t') + 1)] : [])),
  );
  const paths: string[] = [];
  // A file in conflict is listed once for each side.
  for (const name of new Set(listed.split('\0'))) {
    if (name === '') continue;
    const path = within === '' ? name : `${within}/${name}`;
    // Of a submodule or a repository within this one only the folder is named.
    if (!name.endsWith('/') && !submodules.has(name)) paths.push(path);
    else for (const below of await listCommitted(root, path.replace(/\/$/, ''))) paths.push(below);
  }
  return paths;
}

async function walk(root: string, isLeftOut: LeftOut, { ignoreFiles = false } = {}): Promise<SourceList> {
  const list: SourceList = { files: [], folders: [] };
  const visit = async (folder: string, inherited: readonly IgnoreRules[]): Promise<void> => {
    const entries = await entriesOf(join(root, folder), folder === '');
    // As git does: not where it is a link. Reading a pipe would never end.
    const hasRules = ignoreFiles && entries.some((entry) => entry.name === '.gitignore' && entry.isFile());
    const own = hasRules ? await readRules(root, folder) : null;
    const rules = own === null ? inherited : [...inherited, own];
    const below: Promise<void>[] = [];
    for (const entry of entries) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      const isDirectory = entry.isDirectory();
      if (isLeftOut(path, entry.name, isDirectory) || isIgnored(path, isDirectory, rules)) continue;
      if (isDirectory) {
        list.folders.push(path);
        below.push(visit(path, rules));
      } else list.files.push(path);
    }
    await Promise.all(below);
  };
  await visit('', []);
  return list;
}

async function entriesOf(path: string, isRoot: boolean) {
  try {
    return await readdir(path, { withFileTypes: true });
  } catch (error) {
    if (!isRoot && isCode(error, 'ENOENT', 'ENOTDIR')) return []; // deleted since it was listed
    throw error;
  }
}
