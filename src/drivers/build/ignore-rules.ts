import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import ignore, { type Ignore } from 'ignore';

/** The rules of a `.gitignore`, which hold below the folder it lies in. */
export interface IgnoreRules {
  folder: string;
  rules: Ignore;
}

/** The rules in a folder (relative to the root); null when there are none. */
export async function readRules(root: string, folder: string): Promise<IgnoreRules | null> {
  const text = await readFile(join(root, folder, '.gitignore'), 'utf8').catch(() => null);
  return text === null ? null : { folder, rules: ignore().add(text) };
}

/** The innermost file that says anything about a path has the say. `rules`: outermost first, all around the path. */
export function isIgnored(path: string, isFolder: boolean, rules: readonly IgnoreRules[]): boolean {
  for (const { folder, rules: own } of rules.toReversed()) {
    const from = folder === '' ? path : path.slice(folder.length + 1);
    const { ignored, unignored } = own.test(isFolder ? `${from}/` : from);
    if (ignored) return true;
    if (unignored) return false;
  }
  return false;
}
