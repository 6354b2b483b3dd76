import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

import { EvenkeelError } from '../ports/errors.ts';
import { FILE_NAME, findRoot } from './find-file.ts';

/** A whole line at the top level, in the forms in which people write a name. */
const NAME_LINE = /^project:[ \t]+(?:"([a-z][a-z0-9-]*)"|'([a-z][a-z0-9-]*)'|([a-z][a-z0-9-]*))[ \t]*(?:#.*)?\r?$/m;

export interface ProjectName {
  name: string;
  /** Absolute folder of `evenkeel.yaml`. */
  root: string;
}

/**
 * The project's name in the nearest `evenkeel.yaml`, or null when there is none: without checking the rest of the file,
 * so that taking a release back needs neither time nor a file without mistakes.
 * Throws `project-unnamed` when the file has no name that can be read.
 */
export async function readProjectName(startDir: string): Promise<ProjectName | null> {
  const root = await findRoot(resolve(startDir));
  if (root === null) return null;
  const found = NAME_LINE.exec(await readFile(join(root, FILE_NAME), 'utf8'));
  const name = found?.[1] ?? found?.[2] ?? found?.[3];
  if (name !== undefined) return { name, root };
  throw new EvenkeelError({
    code: 'project-unnamed',
    what: 'the name of the project cannot be read',
    where: join(root, FILE_NAME),
    why: 'there is no line `project: NAME` at its top level',
    next: 'see what is wrong with `evenkeel check`, or name it with `--project NAME`',
  });
}
