import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';
import { draftProject } from '../../../src/config/init/draft-project.ts';
import { readProject } from '../../../src/config/load-project.ts';
import { tempDir } from '../../support/temp.ts';

/** A service as it stands in the file that was drafted. */
export type Written = Readonly<Record<string, unknown>>;

export interface Drafted {
  yaml: string;
  file: { project: string; services: Record<string, Written>; secrets?: string[] };
  /** All of them, one for each line. */
  notes: string;
}

/** Writes files, drafts, and sees to it that `check` accepts it in every environment. */
export async function drafted(files: Readonly<Record<string, string>>): Promise<Drafted> {
  const root = tempDir('import');
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  const { yaml, notes } = await draftProject(root);
  if (notes.some((note) => note.includes('empty one')))
    throw new Error(`what was found does not load:\n${notes.join('\n')}`);
  for (const environment of ['development', 'production']) {
    const result = await readProject(yaml, root, { environment, processEnv: {} });
    const problems = result.ok ? [] : result.problems;
    if (problems.length > 0)
      throw new Error(`${problems.map(({ line, message }) => `${line}: ${message}`).join('\n')}\n${yaml}`);
  }
  return { yaml, file: parse(yaml) as Drafted['file'], notes: notes.join('\n') };
}
