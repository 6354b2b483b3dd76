import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { parseEnvFile } from './env-file.ts';
import { problemAt } from './problem.ts';
import type { Problem } from './problem.ts';

/** What `${VAR}` is filled from. */
export interface Variables {
  get: (name: string) => string | undefined;
  /** Names whose value would be a `${SECRET_...}`, with where it is written: it stands for a secret and is none. */
  placeholders: ReadonlyMap<string, string>;
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
  // Own names only: `${valueOf}` must not find what every object has.
  const ofProcess = (name: string): string | undefined =>
    Object.hasOwn(processEnv, name) ? processEnv[name] : undefined;
  const get = (name: string): string | undefined =>
    ofProcess(name) ?? files.map(({ values }) => values.get(name)).find((value) => value !== undefined);
  const isPlaceholder = (name: string): boolean => get(name)?.includes('${SECRET_') === true;
  const placeholders = new Map(
    files
      .toReversed()
      .flatMap(({ file, values }) => [...values.keys()].filter(isPlaceholder).map((name) => [name, file] as const)),
  );
  for (const name of Object.keys(processEnv)) {
    if (isPlaceholder(name) && ofProcess(name) !== undefined) placeholders.set(name, 'the environment of this process');
  }
  const variables: Variables = {
    get: (name) => (placeholders.has(name) ? undefined : get(name)),
    placeholders,
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
