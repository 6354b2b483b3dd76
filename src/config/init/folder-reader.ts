import type { Dirent } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** What `init` needs to see of a folder. Paths are relative to it, with forward slashes; absent things are null or []. */
export interface FolderReader {
  /** Name of the folder itself. */
  name: string;
  read: (path: string) => Promise<string | null>;
  folders: (path: string) => Promise<string[]>;
  /** Names of the files in a folder. */
  files: (path: string) => Promise<string[]>;
  isFolder: (path: string) => Promise<boolean>;
}

const MAX_BYTES = 1024 * 1024;

export function diskReader(root: string): FolderReader {
  const namesIn = async (path: string, wanted: (entry: Dirent) => boolean): Promise<string[]> => {
    try {
      const entries = await readdir(join(root, path), { withFileTypes: true });
      return entries.flatMap((entry) => (wanted(entry) ? [entry.name] : [])).toSorted();
    } catch {
      return [];
    }
  };
  return {
    name: root.split(/[\\/]/).findLast((part) => part !== '') ?? 'project',
    read: async (path) => {
      try {
        if ((await stat(join(root, path))).size > MAX_BYTES) return null;
        return (await readFile(join(root, path), 'utf8')).replace(/^\uFEFF/, '');
      } catch {
        // What cannot be read cannot be carried over; `init` goes on with the rest.
        return null;
      }
    },
    folders: (path) => namesIn(path, (entry) => entry.isDirectory()),
    files: (path) => namesIn(path, (entry) => entry.isFile()),
    isFolder: (path) =>
      stat(join(root, path)).then(
        (found) => found.isDirectory(),
        () => false,
      ),
  };
}
