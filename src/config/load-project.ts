import { readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';

import type { Project } from '../domain/project/project.ts';
import { suggest } from '../lib/suggest.ts';
import { DEFAULT_ENVIRONMENT, IMPLICIT_ENVIRONMENTS } from './defaults.ts';
import { withExcerpts } from './excerpt.ts';
import { fill } from './fill.ts';
import type { Filled, Filling } from './fill.ts';
import { FILE_NAME, findRoot, isFile, isFolder } from './find-file.ts';
import { allKeys, problemsOf } from './issues.ts';
import { notYetAvailable } from './not-yet.ts';
import { pageProblems } from './pages.ts';
import { problemAt, sortProblems } from './problem.ts';
import type { Complaint, Problem } from './problem.ts';
import { MAX_BYTES, readYaml } from './read-yaml.ts';
import { resolveProject } from './resolve/project.ts';
import { file as fileSchema } from './schema/file.ts';
import { NAME_PATTERN } from './schema/scalars.ts';
import { child, keyPlace, toPlain } from './tree.ts';
import type { Tree } from './tree.ts';
import { readVariables } from './variables.ts';

export interface LoadOptions {
  /** The folder that holds `evenkeel.yaml`. */
  root?: string;
  /** Where to start looking upwards, when `root` is not given. Default: the current folder. */
  startDir?: string;
  /** Default: `development`. */
  environment?: string;
  /** What `${VAR}` is filled from first. Default: that of this process. */
  processEnv?: Readonly<Record<string, string | undefined>>;
}

export type LoadResult =
  | {
      ok: true;
      project: Project;
      warnings: Problem[];
      /** All environments of the file, the implicit ones first. */
      environments: string[];
      /** The `dev` command of each service that has one, by its name. */
      dev: Map<string, string>;
    }
  | { ok: false; problems: Problem[] };

/**
 * Reads `evenkeel.yaml` and the `.env` files beside it for one environment. All problems come together, in the order
 * of the file; only what keeps the file from being read at all comes alone. Does not throw for anything that is
 * written in a file.
 */
export async function loadProject(options: LoadOptions = {}): Promise<LoadResult> {
  const startDir = resolve(options.startDir ?? process.cwd());
  const root = options.root === undefined ? await findRoot(startDir) : resolve(options.root);
  if (root === null) return refused(noFile(`no ${FILE_NAME} in ${startDir} or above it`, await otherName(startDir)));
  const reading = await readText(root);
  if (typeof reading !== 'string') return refused(reading);
  return readProject(reading, root, options);
}

/** The same for a text in hand. `root` is where `.env` files and folders are looked for. */
export async function readProject(
  text: string,
  root: string,
  options: Pick<LoadOptions, 'environment' | 'processEnv'> = {},
): Promise<LoadResult> {
  const environment = options.environment ?? DEFAULT_ENVIRONMENT;
  const yaml = readYaml(text, FILE_NAME);
  const failed = (found: readonly Problem[]): LoadResult => ({ ok: false, problems: finished(found, text) });
  if (yaml.tree === null) return failed(yaml.problems.length > 0 ? yaml.problems : [emptyFile()]);
  if (yaml.tree.kind !== 'map') return failed([...yaml.problems, notKeys(yaml.tree)]);
  const known = environmentProblems(yaml.tree, environment);
  // The name becomes part of a file name next.
  if (!new RegExp(NAME_PATTERN).test(environment)) return failed([...yaml.problems, ...known]);

  const { variables, problems: envProblems } = await readVariables(
    root,
    environment,
    options.processEnv ?? process.env,
  );
  const filling: Filling = { environment, variables, secrets: secretNames(yaml.tree) };
  const filled = fill(yaml.tree, filling);
  const resolved = resolveProject(filled.tree, root, filling);
  const notYet = notYetAvailable(filled.tree, environment);
  const all = [
    ...yaml.problems,
    ...known,
    ...envProblems,
    ...filled.problems,
    // What a key that cannot be used lacks besides is of no interest.
    ...shapeProblems(filled).filter(
      ({ code, path }) => code !== 'missing-key' || !notYet.some((key) => path.startsWith(`${key.path}.`)),
    ),
    ...notYet,
    ...resolved.problems,
    ...(await missingFolders(filled.tree, resolved.project)),
    ...(await pageProblems(filled.tree, resolved.project.environment.entry, root)),
  ];
  // An environment that does not exist has no values either: of interest is that it does not exist.
  const problems = known.length === 0 ? all : all.filter(({ code }) => code !== 'unset-variable');
  if (problems.some(({ severity }) => severity === 'error')) return failed(problems);
  return {
    ok: true,
    project: resolved.project,
    warnings: finished(problems, text),
    environments: environmentNames(yaml.tree),
    dev: resolved.dev,
  };
}

/** The environments that a file allows to choose from; the implicit ones first. */
function environmentNames(tree: Tree): string[] {
  const written = child(tree, 'environments');
  const names = written?.kind === 'map' ? [...written.entries.keys()] : [];
  return [...new Set([...IMPLICIT_ENVIRONMENTS, ...names])];
}

async function readText(root: string): Promise<string | Problem> {
  const path = join(root, FILE_NAME);
  try {
    if ((await stat(path)).size > MAX_BYTES) {
      return fileProblem({ code: 'too-large', message: `the file is larger than ${MAX_BYTES / 1024} KiB` });
    }
    const text = new TextDecoder('utf-8', { fatal: true }).decode(await readFile(path));
    return text;
  } catch (error) {
    if (error instanceof TypeError) {
      return fileProblem({ code: 'unreadable', message: 'the file is not UTF-8 text', hint: 'save it as UTF-8' });
    }
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    if (code === 'ENOENT') {
      return noFile(`no ${FILE_NAME} in ${root}`, await otherName(root));
    }
    return fileProblem({ code: 'unreadable', message: `cannot be read (${code})`, hint: `see ls -l ${path}` });
  }
}

function shapeProblems({ tree, unfilled }: Filled): Problem[] {
  const checked = fileSchema.safeParse(toPlain(tree));
  if (checked.success) return [];
  return problemsOf(checked.error.issues, tree, fileSchema, []).filter(({ path }) => !unfilled.has(path));
}

function environmentProblems(tree: Tree, environment: string): Problem[] {
  const names = environmentNames(tree);
  if (names.includes(environment)) return [];
  const meant = suggest(environment, names);
  return [
    problemAt(keyPlace(tree, ['environments']), ['environments'], {
      code: 'unknown-environment',
      message: `there is no environment \`${environment}\``,
      expected: `one of ${names.join(', ')}`,
      hint: meant === null ? 'add it to `environments`' : `did you mean "${meant}"?`,
    }),
  ];
}

function secretNames(tree: Tree): Set<string> {
  const secrets = child(tree, 'secrets');
  if (secrets?.kind === 'map') return new Set(secrets.entries.keys());
  const items = secrets?.kind === 'list' ? secrets.items : [];
  return new Set(
    items.flatMap((item) => (item.kind === 'scalar' && typeof item.value === 'string' ? [item.value] : [])),
  );
}

async function missingFolders(tree: Tree, project: Project): Promise<Problem[]> {
  const missing = await Promise.all(
    project.services.map(async ({ name, dir }) => {
      if (dir === '.' || (await isFolder(join(project.root, dir)))) return [];
      const overridden = child(child(child(child(tree, 'environments'), project.environment.name), 'services'), name);
      const written = child(overridden, 'dir') ?? child(child(child(tree, 'services'), name), 'dir');
      const complaint = { code: 'missing-folder', message: `there is no folder \`${dir}\`` } as const;
      return written === undefined ? [] : [problemAt(written.place, written.path, complaint)];
    }),
  );
  return missing.flat();
}

function finished(problems: readonly Problem[], text: string): Problem[] {
  return withExcerpts(sortProblems(problems), text, FILE_NAME, allKeys(fileSchema));
}

function refused(problem: Problem): LoadResult {
  return { ok: false, problems: [problem] };
}

function fileProblem(complaint: Complaint): Problem {
  return problemAt({ file: FILE_NAME, line: 0, column: 0 }, [], complaint);
}

/** What to do when the file is there by the other of its usual endings. */
async function otherName(folder: string): Promise<string | undefined> {
  return (await isFile(join(folder, 'evenkeel.yml'))) ? `rename evenkeel.yml to ${FILE_NAME}` : undefined;
}

function noFile(message: string, hint = 'write one with `evenkeel init`'): Problem {
  return fileProblem({ code: 'no-file', message, hint });
}

function emptyFile(): Problem {
  const hint = 'write it anew with `evenkeel init`, or begin with `project: NAME`';
  return problemAt({ file: FILE_NAME, line: 1, column: 1 }, [], { code: 'syntax', message: 'the file is empty', hint });
}

function notKeys(tree: Tree): Problem {
  const expected = '`project: NAME`, `services:` and so on';
  return problemAt(tree.place, [], { code: 'wrong-type', message: 'expected keys and values at the top', expected });
}
