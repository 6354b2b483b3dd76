import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

import { FILE_NAME } from '../find-file.ts';
import { draftProject } from './draft-project.ts';
import type { Draft } from './draft-project.ts';

export type WriteResult =
  | { ok: true; path: string; draft: Draft }
  | { ok: false; code: 'exists' | 'unwritable'; path: string; message: string; hint: string };

/** Drafts and writes `evenkeel.yaml` in `root`. An existing file is only replaced with `force`. */
export async function writeDraft(root: string, options: { force?: boolean } = {}): Promise<WriteResult> {
  const path = join(resolve(root), FILE_NAME);
  const draft = await draftProject(root);
  try {
    // `wx` and not a look before: somebody may write it in between.
    await writeFile(path, draft.yaml, { flag: options.force === true ? 'w' : 'wx' });
    return { ok: true, path, draft };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    if (code === 'EEXIST') {
      const message = `${path} exists already`;
      return {
        ok: false,
        code: 'exists',
        path,
        message,
        hint: 'look at it with `evenkeel check`, or replace it with `evenkeel init --force`',
      };
    }
    const hint = 'make the folder writable, or run this in another one';
    return { ok: false, code: 'unwritable', path, message: `${path} cannot be written (${code})`, hint };
  }
}
