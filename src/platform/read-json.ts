import { readFile } from 'node:fs/promises';

/** The text of a file, or null when there is none. */
export async function readTextIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** The parsed content of a JSON file, unchecked; null when there is no such file or it does not hold JSON. */
export async function readJson(path: string): Promise<unknown> {
  const text = await readTextIfThere(path);
  if (text === null) return null;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
