import type { LoadResult } from '../config/load-project.ts';
import type { Problem } from '../config/problem.ts';
import { EvenkeelError } from '../ports/errors.ts';
import type { ApiClient } from '../api/contract/client.ts';
import type { Context } from './context.ts';
import { wrapLines } from './screen/text.ts';

type Loaded = Extract<LoadResult, { ok: true }>;
export type Project = Loaded['project'];

/** The whole project for the environment; warnings are said. Throws `bad-config` with all that is wrong. */
export async function loadForShipping(context: Context): Promise<Project> {
  return (await loadHere(context)).project;
}

/** The same, with all that was read. */
export async function loadHere({ deps, globals, environment, out }: Context): Promise<Loaded> {
  const { loadProject } = await import('../config/load-project.ts');
  const { renderProblem } = await import('../config/render-problems.ts');
  const result = await loadProject({ startDir: deps.cwd, environment, processEnv: deps.env });
  if (!result.ok) throw await badConfig(result.problems);
  if (globals.project !== null && globals.project !== result.project.name) {
    throw new EvenkeelError({
      code: 'project-elsewhere',
      what: `evenkeel.yaml here is of project ${result.project.name}, not of ${globals.project}`,
      where: result.project.root,
      next: `go to the folder of ${globals.project}, or leave --project out`,
    });
  }
  for (const warning of result.warnings) out.remark(wrapLines(renderProblem(warning), out.columns()).join('\n'));
  return result;
}

export async function badConfig(problems: readonly Problem[]): Promise<EvenkeelError> {
  const { renderProblems } = await import('../config/render-problems.ts');
  const [first] = problems;
  const missing = problems.length === 1 && first?.code === 'no-file';
  return new EvenkeelError({
    code: missing ? 'no-project' : 'bad-config',
    what: missing ? 'there is no evenkeel.yaml here' : 'evenkeel.yaml cannot be used as it is',
    why: missing ? first.message : renderProblems(problems).trimEnd(),
    next: missing ? (first.hint ?? 'write one with `evenkeel init`') : 'correct these places, then `evenkeel check`',
  });
}

/** Throws `secret-missing` with the command to set each, when the services need secrets that are not there. */
export async function requireSecrets(client: ApiClient, project: Project, services: readonly string[]): Promise<void> {
  // There they are in Secret Manager, and a revision without one does not start.
  if (project.cloud?.runsServices === true) return;
  const entered = new Set(passwordSecrets(project.environment.entry));
  const chosen = project.services.filter(({ name }) => services.length === 0 || services.includes(name));
  const used = new Set([
    ...chosen.flatMap(({ env }) => Object.values(env).flatMap((parts) => parts.flatMap(secretOf))),
    ...entered,
  ]);
  if (used.size === 0) return;
  const scope = { project: project.name, environment: project.environment.name };
  const known = new Set((await client.listSecrets(scope)).secrets.map(({ name }) => name));
  const missing = [...used].filter((name) => !known.has(name));
  if (missing.length === 0) return;
  const env = scope.environment === 'development' ? '' : ` --env ${scope.environment}`;
  throw new EvenkeelError({
    code: 'secret-missing',
    what: `${missing.length === 1 ? 'a secret is' : `${missing.length} secrets are`} not set in ${scope.environment}: ${missing.join(', ')}`,
    why: missing.every((name) => entered.has(name))
      ? 'they are the passwords of `basicAuth`, and without them nobody would get in'
      : 'services use them in `env`, and would not start as they should',
    next: missing.map((name) => `evenkeel secrets set ${name}${env}`).join('\n'),
  });
}

type EnvParts = Project['services'][number]['env'][string];

/** Secrets that hold the passwords of `basicAuth`. */
const passwordSecrets = (entry: Project['environment']['entry']): string[] =>
  (entry?.services ?? []).flatMap(({ policy, routes }) =>
    [policy, ...routes.map((route) => route.policy)].flatMap(({ basicAuth }) =>
      (basicAuth?.users ?? []).map(({ secret }) => secret),
    ),
  );

const secretOf = (part: EnvParts[number]): string[] =>
  typeof part === 'object' && 'secret' in part ? [part.secret] : [];
