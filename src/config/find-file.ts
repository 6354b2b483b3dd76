import { stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

export const FILE_NAME = 'evenkeel.yaml';

/** The nearest folder that holds `evenkeel.yaml`, from `startDir` upwards; null when there is none. */
export async function findRoot(startDir: string): Promise<string | null> {
  for (let folder = resolve(startDir); ; folder = dirname(folder)) {
    if (await isFile(join(folder, FILE_NAME))) return folder;
    if (folder === dirname(folder)) return null;
  }
}

export async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}

export async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
