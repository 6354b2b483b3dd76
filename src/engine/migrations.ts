import { join } from 'node:path';
import type { Finding, MigrationReport } from '../domain/migration/finding.ts';
import { broughtFiles, isSearched, type TreeFile } from '../domain/migration/files.ts';
import { decideMigrations, judgeOthers, type Verdict } from '../domain/migration/judge.ts';
import type { Project, ServiceConfig } from '../domain/project/project.ts';
import type { Deployment, Release } from '../domain/release/release.ts';
import { EvenkeelError } from '../ports/errors.ts';
import type { PlacedFile } from '../ports/migrations.ts';
import type { EngineDeps } from './deps.ts';
import { currentOf } from './operations/new-releases.ts';

type Deps = Pick<EngineDeps, 'builder' | 'store' | 'migrations'>;

export interface Examined {
  reports: (MigrationReport & { breaking: 'refuse' | 'warn' | 'off' })[];
  verdict: Verdict;
}

/**
 * What the migrations that these services would bring now mean for the releases that serve. Empty for those that migrate
 * nothing, say `off`, or serve nothing yet: nobody can be hurt there.
 */
export async function examineMigrations(
  deps: Deps,
  project: Project,
  services: readonly ServiceConfig[],
  serving: Deployment[],
  allowed = false,
): Promise<Examined> {
  const reports: Examined['reports'] = [];
  for (const config of services) {
    const breaking = breakingOf(project.environment.name, config);
    const current = currentOf(serving, config.name);
    if (config.migrate === null || current === null || breaking === 'off') continue;
    const running = await deps.store.release(project.name, current);
    // A folder that cannot be read is the build's to complain about.
    const files = await deps.builder.sourceFiles(project.root, config).catch(() => null);
    if (running === null || files === null) continue;
    reports.push({ ...(await compare(deps, config, running, { files, root: project.root })), breaking });
  }
  return { reports, verdict: decideMigrations(reports, allowed) };
}

/**
 * The same for what a build has made: a release is looked at once more before its migration runs, since a build may write
 * migrations too, and files may have changed since the deploy began. Throws EvenkeelError `migration-breaking`.
 */
export async function refuseBreakingRelease(
  { store, builder, migrations }: Deps,
  next: Release,
  running: string,
): Promise<void> {
  const { config, artifact } = next;
  const breaking = breakingOf(next.environment, config);
  const former = await store.release(next.project, running);
  const after = artifact === null ? null : await builder.artifactFiles(artifact);
  if (breaking !== 'refuse' || former === null || artifact === null || after === null) return;
  const report = await compare({ builder, migrations }, config, former, {
    files: after,
    root: builder.artifactPath(artifact),
  });
  const reports = [{ ...report, breaking }];
  refuseBreaking({ reports, verdict: decideMigrations(reports, false) }, 'they are not run');
}

/** On a development machine everything may be thrown away, as long as one is told. */
const breakingOf = (environment: string, { migrations }: ServiceConfig): 'refuse' | 'warn' | 'off' =>
  migrations?.breaking ?? (environment === 'development' ? 'warn' : 'refuse');

async function compare(
  { builder, migrations }: Pick<Deps, 'builder' | 'migrations'>,
  config: ServiceConfig,
  running: Release,
  after: { files: TreeFile[]; root: string },
): Promise<MigrationReport> {
  const { artifact } = running;
  const before = artifact === null ? null : await builder.artifactFiles(artifact);
  if (artifact === null || before === null) {
    const files = running.config.cloud === undefined ? 'are not there any more' : 'lie in an image';
    const why = `the files of ${running.id} ${files}, so which migrations are new is not known`;
    return { service: config.name, running: running.id, files: { added: 0, read: 0 }, findings: [notCompared(why)] };
  }
  const brought = broughtFiles(before, after.files, config);
  const placed =
    (root: string) =>
    (file: TreeFile): PlacedFile => ({ path: file.path, absolute: join(root, file.path), size: file.size });
  const sources = before.filter(({ path }) => isSearched(path, config.migrations, config.dir));
  const { findings, read } = await migrations.examine(
    brought.sql.map(placed(after.root)),
    sources.map(placed(builder.artifactPath(artifact))),
  );
  return {
    service: config.name,
    running: running.id,
    files: { added: brought.sql.length + brought.programs.length, read },
    findings: [...findings, ...judgeOthers(brought)],
  };
}

const notCompared = (why: string): Finding => ({
  code: 'unread-file',
  severity: 'warning',
  file: '',
  line: 0,
  statement: '',
  what: 'the migrations were not looked at',
  why,
  next: 'look at them yourself before you deploy',
  uses: [],
});

/** Throws EvenkeelError `migration-breaking` when what serves may not survive the new migrations. */
export function refuseBreaking({ reports, verdict }: Examined, aside = 'nothing was begun'): void {
  if (verdict.verdict !== 'refuse') return;
  const breaking = reports
    .filter((each) => each.breaking === 'refuse')
    .flatMap((each) => each.findings.filter(({ severity }) => severity === 'breaking'));
  const [first] = breaking;
  throw new EvenkeelError({
    code: 'migration-breaking',
    what: `${verdict.reason}, so ${aside}`,
    ...(first === undefined ? {} : { where: placeOf(first) }),
    why: breaking.map(inWords).join('\n'),
    next: `${nextOf(breaking)}\nif it is meant so: --allow-breaking-migrations, or \`migrations: warn\` in evenkeel.yaml`,
  });
}

const placeOf = ({ file, line }: Finding): string => (line === 0 ? file : `${file}:${line}`);

function inWords(finding: Finding): string {
  const uses = finding.uses.map((use) => `\n    named in ${use.file}:${use.line}: ${use.text}`).join('');
  return `${placeOf(finding)} ${finding.what}: ${finding.why}\n    ${finding.statement}${uses}`;
}

/** Each way on once. */
const nextOf = (findings: readonly Finding[]): string => [...new Set(findings.map(({ next }) => next))].join('\n');
