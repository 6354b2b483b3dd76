import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { IMPLICIT_ENVIRONMENTS } from '../../config/defaults.ts';
import { loadProject } from '../../config/load-project.ts';
import { FILE_NAME, findRoot } from '../../config/find-file.ts';
import { problemAt } from '../../config/problem.ts';
import type { Problem } from '../../config/problem.ts';
import { readYaml } from '../../config/read-yaml.ts';
import { renderProblems } from '../../config/render-problems.ts';
import { child } from '../../config/tree.ts';
import { plural } from '../../lib/format.ts';
import type { CommandSpec } from '../command.ts';
import type { Context } from '../context.ts';
import type { MigrationsReply } from '../../api/contract/deploys.ts';
import { migrationLines } from '../show-migrations.ts';
import { wrapLines } from '../screen/text.ts';
import type { ExitCode } from '../deps.ts';
import { badConfig, type Project } from '../project.ts';

export const check: CommandSpec = {
  name: 'check',
  summary: 'look for mistakes in evenkeel.yaml',
  description:
    'Reads the file and the .env files beside it for every environment, or for one with --env, and shows all mistakes at once.',
  examples: [
    { command: 'evenkeel check', means: 'every environment' },
    { command: 'evenkeel check --env production', means: 'one of them' },
  ],
  run,
};

interface Checked {
  environment: string;
  project: Project | null;
  problems: Problem[];
}

async function run(context: Context): Promise<ExitCode> {
  const { out, deps, globals } = context;
  const root = await findRoot(deps.cwd);
  const names = globals.environment !== null || root === null ? [context.environment] : await environmentsOf(root);
  const checked: Checked[] = [];
  for (const environment of names) {
    const result = await loadProject({ startDir: deps.cwd, environment, processEnv: deps.env });
    const certificates = result.ok ? await certificateProblems(context, result.project) : [];
    checked.push({
      environment,
      project: result.ok ? result.project : null,
      problems: result.ok ? [...result.warnings, ...certificates] : result.problems,
    });
  }
  const problems = merged(checked);
  const migrations = await migrationsOf(context, checked);
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  out.data({ ok: errors === 0, environments: names, problems, migrations });
  if (out.json) return errors === 0 ? 0 : 1;
  if (errors > 0) throw await badConfig(problems);
  if (problems.length > 0) out.line(...wrapLines(renderProblems(problems), out.columns()));
  const { style } = out;
  for (const { environment, project } of checked) {
    const services = project?.services.map(({ name }) => name) ?? [];
    out.prose(
      `${style.green(style.symbols.done)} ${style.cyan(environment)}: ${plural(services.length, 'service')} (${services.join(', ')})`,
      2,
    );
  }
  for (const { environment, verdict, reports } of migrations ?? []) {
    const lines = migrationLines(reports, out);
    if (lines.length > 0) out.line('', `In ${style.cyan(environment)}:`, ...lines);
    if (verdict === 'refuse') out.prose('A deploy is refused as it is (`--allow-breaking-migrations` insists).', 2);
  }
  return 0;
}

/** What a deploy would find in new migrations; null without a server, which alone knows what serves. */
async function migrationsOf(
  context: Context,
  checked: readonly Checked[],
): Promise<(MigrationsReply & { environment: string })[] | null> {
  const projects = checked.flatMap(({ project }) =>
    project?.services.some(({ migrate }) => migrate !== null) ? project : [],
  );
  if (projects.length === 0) return null;
  try {
    const client = await context.client();
    const replies = await Promise.all(
      projects.map((project) =>
        client.checkMigrations({
          project: project.name,
          environment: project.environment.name,
          definition: { ...project },
        }),
      ),
    );
    return replies.map((reply, index) => ({ environment: projects[index]?.environment.name ?? '', ...reply }));
  } catch {
    return null;
  }
}

/** Warnings alone: a file may be somewhere else, or for others' eyes, where the file is only checked. */
async function certificateProblems({ deps }: Context, { environment, services }: Project): Promise<Problem[]> {
  if (environment.tls === undefined) return [];
  const hosts = services.flatMap(({ routes }) => routes.flatMap(({ host }) => host ?? []));
  const concerns = await deps.certificateConcerns(environment.tls.certificates, [...new Set(hosts)]);
  const path = ['environments', environment.name, 'tls'];
  const place = { file: FILE_NAME, line: 0, column: 0 };
  return concerns.map((message) => problemAt(place, path, { code: 'certificate', severity: 'warning', message }));
}

/** One problem once, and where it is only in some environments, in which. */
function merged(checked: readonly Checked[]): Problem[] {
  const byKey = new Map<string, { problem: Problem; environments: string[] }>();
  for (const { environment, problems } of checked) {
    for (const problem of problems) {
      const key = `${problem.file}:${problem.line}:${problem.column}:${problem.path}:${problem.code}:${problem.message}`;
      const known = byKey.get(key);
      if (known === undefined) byKey.set(key, { problem, environments: [environment] });
      else known.environments.push(environment);
    }
  }
  return [...byKey.values()].map(({ problem, environments }) =>
    environments.length === checked.length
      ? problem
      : { ...problem, message: `${problem.message} (in ${environments.join(', ')})` },
  );
}

/** A file that cannot be read that far has one mistake in every environment. */
async function environmentsOf(root: string): Promise<string[]> {
  const { tree } = readYaml(await readFile(join(root, FILE_NAME), 'utf8').catch(() => ''), FILE_NAME);
  const written = tree === null ? undefined : child(tree, 'environments');
  return [...new Set([...IMPLICIT_ENVIRONMENTS, ...(written?.kind === 'map' ? written.entries.keys() : [])])];
}
