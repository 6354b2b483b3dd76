import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { parseEnvFile } from './env-file.ts';
import { problemAt } from './problem.ts';
import type { Problem } from './problem.ts';

/** What `${VAR}` is filled from. */
export interface Variables {
  get: (name: string) => string | undefined;
  /** Names in the files, for "did you mean". */
  names: string[];
  /** Where was looked, most specific first, in words. */
  lookedIn: string;
}

/** The environment of the process wins over `.env.<environment>`, which wins over `.env`. */
export async function readVariables(
  root: string,
  environment: string,
  processEnv: Readonly<Record<string, string | undefined>>,
): Promise<{ variables: Variables; problems: Problem[] }> {
  const files = await Promise.all([`.env.${environment}`, '.env'].map((file) => readOne(root, file)));
  const lookedIn = [
    'the environment of this process',
    ...files.map(({ file, present }) => (present ? file : `${file} (not there)`)),
  ];
  const variables: Variables = {
    // Own names only: `${valueOf}` must not find what every object has.
    get: (name) =>
      (Object.hasOwn(processEnv, name) ? processEnv[name] : undefined) ??
      files.map(({ values }) => values.get(name)).find((value) => value !== undefined),
    names: [...new Set(files.flatMap(({ values }) => [...values.keys()]))],
    lookedIn: lookedIn.join(', '),
  };
  return { variables, problems: files.flatMap(({ problems }) => problems) };
}

async function readOne(root: string, file: string) {
  const values = new Map<string, string>();
  try {
    return { file, present: true, ...parseEnvFile(await readFile(join(root, file), 'utf8'), file) };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    if (code === 'ENOENT') return { file, present: false, values, problems: [] };
    const complaint = { code: 'unreadable', message: `cannot be read (${code})`, hint: `see ls -l ${file}` } as const;
    return { file, present: false, values, problems: [problemAt({ file, line: 0, column: 0 }, [], complaint)] };
  }
}
