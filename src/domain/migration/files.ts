import type { MigrationsConfig } from '../project/project.ts';

/** A file of a source tree or an artifact; `sha` is of its content. */
export interface TreeFile {
  path: string;
  size: number;
  sha: string;
}

/** What a deploy brings that may change the database. */
export interface BroughtFiles {
  /** SQL to be read. */
  sql: TreeFile[];
  /** Programs that migrate, which nobody can read. */
  programs: TreeFile[];
  /** SQL that the running release brought already, and that says something else now. */
  changed: TreeFile[];
}

/** Folders in which Prisma, Knex, Drizzle, node-pg-migrate, Flyway, golang-migrate, Rails, Django and others keep them. */
const FOLDER = /(?:^|\/)(?:migrations?|migrate|drizzle|alembic\/versions)\//i;
const ELSEWHERE = /(?:^|\/)(?:node_modules|\.git|vendor|tests?|__tests__|fixtures|examples?|__pycache__)\//i;
const PROGRAM = /\.(?:[cm]?[jt]sx?|py|rb|exs?|php|go|kt|java|cs|scala|groovy|xml|ya?ml)$/i;
const NO_PROGRAM =
  /(?:\.d\.[cm]?ts|\.(?:test|spec)\.[a-z]+|(?:^|\/)(?:__init__|env)\.py|(?:^|\/)\.?[a-z]*rc\.[a-z]+|\.config\.[a-z]+)$/i;
/** The way back, which is not what a deploy runs: golang-migrate's and sqlx's, Hasura's, Flyway's. */
const DOWN = /(?:\.down\.sql|\/down\.sql|\/U[0-9][^/]*__[^/]*\.sql)$/i;

/** Whether a file is a migration, by the folder that it lies in. */
export function isMigration(path: string, config: MigrationsConfig | undefined, dir: string): boolean {
  if (ELSEWHERE.test(path)) return false;
  const folders = config?.folders ?? null;
  if (folders === null) return FOLDER.test(path);
  return folders.some((folder) => folder === '.' || path.startsWith(`${within(dir, folder)}/`));
}

const within = (dir: string, folder: string): string => (dir === '.' ? folder : `${dir}/${folder}`);

/**
 * What the new sources have that the running release's do not, among the migrations. A service that has some below its
 * own folder has no others: those belong to its neighbours.
 */
export function broughtFiles(
  before: readonly TreeFile[],
  after: readonly TreeFile[],
  service: { dir: string; migrations?: MigrationsConfig | undefined },
): BroughtFiles {
  const all = after.filter(({ path }) => isMigration(path, service.migrations, service.dir) && !DOWN.test(path));
  const own = service.dir === '.' ? [] : all.filter(({ path }) => path.startsWith(`${service.dir}/`));
  const mine = own.length > 0 ? own : all;
  const known = new Map(before.map((file) => [file.path, file.sha]));
  // A file that only moved, or that the build copied, brings nothing.
  const contents = new Set(before.map(({ path, sha }) => `${sha} ${nameOf(path)}`));
  const added = mine.filter(({ path, sha }) => !known.has(path) && !contents.has(`${sha} ${nameOf(path)}`));
  const isSql = ({ path }: TreeFile): boolean => /\.sql$/i.test(path);
  return {
    sql: once(added.filter(isSql)),
    programs: added.filter(({ path }) => PROGRAM.test(path) && !NO_PROGRAM.test(path)),
    changed: mine.filter((file) => isSql(file) && known.has(file.path) && known.get(file.path) !== file.sha),
  };
}

/** In the order in which tools run them; a copy of the same file elsewhere says nothing new. */
function once(files: TreeFile[]): TreeFile[] {
  const seen = new Set<string>();
  return files
    .toSorted((a, b) => (a.path < b.path ? -1 : 1))
    .filter(({ path, sha }) => {
      const key = `${sha} ${nameOf(path)}`;
      return seen.has(key) ? false : seen.add(key);
    });
}

/** Prisma calls every file `migration.sql`, and tells them apart by their folders. */
const nameOf = (path: string): string => path.split('/').slice(-2).join('/');

const TEXT =
  /\.(?:[cm]?[jt]sx?|vue|svelte|py|rb|erb|php|go|rs|java|kts?|scala|cs|ex|exs|ejs|hbs|sql|prisma|graphql|gql|json|ya?ml|toml)$/i;
const NO_SOURCE =
  /(?:^|\/)(?:package-lock\.json|npm-shrinkwrap\.json|pnpm-lock\.yaml|composer\.lock|schema\.rb|structure\.sql|schema\.sql|evenkeel\.yaml)$|\.min\.js$|\.map$/i;

/** Whether what the running release does may be read there: programs, but neither migrations nor what describes tables. */
export const isSearched = (path: string, config: MigrationsConfig | undefined, dir: string): boolean =>
  TEXT.test(path) && !NO_SOURCE.test(path) && !ELSEWHERE.test(path) && !isMigration(path, config, dir);
