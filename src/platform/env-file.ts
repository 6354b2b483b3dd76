import { realpath, stat } from 'node:fs/promises';
import { setInEnvText } from '../lib/env-text.ts';
import { writeFileAtomic } from './atomic-file.ts';
import { readTextIfThere } from './read-json.ts';

/**
 * Sets values in an environment file, which is made when it is not there. Comments, order and all else stay; whoever
 * reads meanwhile sees the old file or the new one. Answers the names whose value changed; with none nothing is written.
 */
export async function setInEnvFile(
  path: string,
  values: Readonly<Record<string, string>>,
  { heading }: { heading: string },
): Promise<string[]> {
  // Through a link the file itself is replaced, or the link would be gone.
  const file = await realpath(path).catch(() => path);
  const before = await readTextIfThere(file);
  const { text, changed } = setInEnvText(before ?? '', values, { heading });
  if (changed.length === 0) return [];
  const mode = await stat(file).then(
    (found) => found.mode & 0o777,
    // Passwords come into such files sooner or later.
    () => 0o600,
  );
  await writeFileAtomic(file, text, { mode });
  return changed;
}
