import { realpath, stat } from 'node:fs/promises';
import { sep } from 'node:path';

import type { EntryConfig } from '../domain/project/entry.ts';
import { pagesOf } from '../domain/project/entry.ts';
import { problemAt } from './problem.ts';
import type { Problem } from './problem.ts';
import { eachScalar } from './tree.ts';
import type { Tree } from './tree.ts';

/** One is sent to everybody who meets an error. */
const MAX_BYTES = 256 * 1024;

/** Why a page cannot be used, or null. It must lie in the project, whatever links lead there. */
async function concern(file: string, root: string): Promise<string | null> {
  try {
    const [real, home] = await Promise.all([realpath(file), realpath(root)]);
    if (real !== home && !real.startsWith(home + sep)) return 'lies outside of the project';
    const info = await stat(real);
    if (!info.isFile()) return 'is not a file';
    return info.size > MAX_BYTES ? `is larger than ${MAX_BYTES / 1024} KiB` : null;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' || code === 'ENOTDIR' ? 'does not exist' : `cannot be read (${code})`;
  }
}

/** What is wrong with the HTML files that the file names for this environment. */
export async function pageProblems(tree: Tree, entry: EntryConfig | undefined, root: string): Promise<Problem[]> {
  const problems: Problem[] = [];
  for (const file of entry === undefined ? [] : pagesOf(entry)) {
    const why = await concern(file, root);
    if (why === null) continue;
    eachScalar(tree, (scalar) => {
      const key = scalar.path.at(-1) ?? '';
      const isPage = key === 'page' || scalar.path.at(-2) === 'errorPages';
      if (!isPage || typeof scalar.value !== 'string' || !file.endsWith(scalar.value.replace(/^(\.\/)+/, ''))) return;
      problems.push(problemAt(scalar.place, scalar.path, { code: 'bad-value', message: `${scalar.value} ${why}` }));
    });
    if (problems.length === 0)
      problems.push(problemAt(tree.place, [], { code: 'bad-value', message: `the page ${file} ${why}` }));
  }
  return problems;
}
