import { accessSync, closeSync, constants, existsSync, lstatSync, openSync, readSync, statSync } from 'node:fs';
import { readdir, statfs } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import type { HomeFacts, Place, Role } from '../../domain/doctor/facts.ts';
import type { EvenkeelPaths } from '../../platform/paths.ts';
import { readTextIfThere } from '../../platform/read-json.ts';

const DATABASE = 'SQLite format 3\0';

/** Looks at files and folders; opens no database, and changes nothing. */
export async function readHome(paths: EvenkeelPaths): Promise<HomeFacts> {
  const roles: [Role, string][] = [
    ['home', paths.home],
    ['sockets', paths.run],
    ['token', paths.token],
    ['probe token', paths.probeToken],
    ['certificates', paths.certificates],
    ['store', paths.store],
    ['secrets', paths.secretsFile],
    ['key of the secrets', paths.secretsKey],
  ];
  return {
    path: paths.home,
    uid: process.getuid?.() ?? null,
    places: roles.map(([role, path]) => placeAt(role, path)),
    keyInHome: !relative(paths.home, paths.secretsKey).startsWith('..'),
    disk: await diskOf(paths.home),
    reserve: existsSync(paths.store) ? existsSync(`${paths.store}.reserve`) : null,
    newest: await newestIn(paths.home),
    torn: await tornAmong([paths.keeperInfo, paths.keeperPorts, paths.secretsFile]),
    storeIsDatabase: startsLikeDatabase(paths.store),
  };
}

function placeAt(role: Role, path: string): Place {
  const nothing = { role, path, uid: 0, mode: 0, writable: false, size: 0 };
  try {
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (stats === undefined) return { ...nothing, kind: 'absent' };
    const kind = stats.isDirectory() ? 'folder' : stats.isFile() ? 'file' : 'other';
    // For root everything can be written; the bits say what was meant.
    const writable = (stats.mode & 0o200) !== 0 && mayWrite(path);
    return { role, path, kind, uid: stats.uid, mode: stats.mode & 0o777, writable, size: stats.size };
  } catch {
    return { ...nothing, kind: 'unreadable' };
  }
}

function mayWrite(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** Of the nearest folder that is there. */
async function diskOf(path: string): Promise<HomeFacts['disk']> {
  try {
    const { bavail, blocks, bsize, ffree, files } = await statfs(path);
    return { free: bavail * bsize, total: blocks * bsize, freeInodes: ffree, inodes: files };
  } catch {
    return dirname(path) === path ? null : diskOf(dirname(path));
  }
}

async function newestIn(folder: string): Promise<HomeFacts['newest']> {
  let newest: HomeFacts['newest'] = null;
  for (const name of await readdir(folder).catch(() => [])) {
    const path = join(folder, name);
    const at = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    if (newest === null || at > newest.at) newest = { path, at };
  }
  return newest;
}

async function tornAmong(files: readonly string[]): Promise<string[]> {
  const torn: string[] = [];
  for (const file of files) {
    const text = await readTextIfThere(file).catch(() => null);
    if (text !== null && !isJson(text)) torn.push(file);
  }
  return torn;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** A new one may still be empty. */
function startsLikeDatabase(file: string): boolean | null {
  let opened: number;
  try {
    opened = openSync(file, 'r');
  } catch {
    return null;
  }
  try {
    const start = Buffer.alloc(DATABASE.length);
    const read = readSync(opened, start, 0, start.length, 0);
    return read === 0 || start.toString('latin1') === DATABASE;
  } finally {
    closeSync(opened);
  }
}
