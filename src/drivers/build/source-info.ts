import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { SourceInfo } from '../../domain/release/release.ts';
import { git, isInRepository } from './git.ts';

/** What the folder of a project says about where its files come from. Outside of a repository there is no commit. */
export async function readSourceInfo(root: string, label: string | null): Promise<SourceInfo> {
  if (!(await isInRepository(root)))
    return { commit: null, dirty: false, label: label ?? (await packageVersion(root)) };
  const [head, status, tags] = await Promise.all([
    git(root, ['rev-parse', '--verify', '--quiet', 'HEAD^{commit}']),
    git(root, ['status', '--porcelain', '-z', '--untracked-files=normal', '--', '.']),
    git(root, ['tag', '--points-at', 'HEAD', '--sort=-version:refname']),
  ]);
  const tag = tags?.split('\n')[0]?.trim();
  return {
    commit: head?.trim() || null,
    // When git cannot say, nobody shall take it for clean.
    dirty: status === null || status !== '',
    label: label ?? (tag === undefined || tag === '' ? await packageVersion(root) : tag),
  };
}

const packageSchema = z.object({ version: z.string().trim().min(1) });

async function packageVersion(root: string): Promise<string | null> {
  try {
    const file = join(root, 'package.json');
    if (!(await stat(file)).isFile()) return null; // reading a pipe would never end
    const { version } = packageSchema.parse(JSON.parse(await readFile(file, 'utf8')));
    return version.startsWith('v') ? version : `v${version}`;
  } catch {
    return null; // none, or none that says so
  }
}
