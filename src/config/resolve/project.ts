import { askedServices } from '../../domain/project/asked-services.ts';
import type { EnvironmentConfig, EnvPart, Project, ServiceConfig } from '../../domain/project/project.ts';
import { suggest } from '../../lib/suggest.ts';
import { DEFAULT_PORT, defaultBind } from '../defaults.ts';
import type { Filling } from '../fill.ts';
import { problemAt } from '../problem.ts';
import type { Problem } from '../problem.ts';
import { environment as environmentSchema } from '../schema/environment.ts';
import { file as fileSchema } from '../schema/file.ts';
import { service as serviceSchema } from '../schema/service.ts';
import type { WrittenService } from '../schema/service.ts';
import { child, descend, keyPlace, toPlain } from '../tree.ts';
import type { Tree } from '../tree.ts';
import { contradictionsOf } from './contradictions.ts';
import { resolveEnv, resolveUrl } from './env.ts';
import { mergeService } from './merge.ts';
import { resolveEntry } from './entry.ts';
import { entryContradictions, judgesOf } from './entry-contradictions.ts';
import { dependencyOrder } from './order.ts';
import { duplicateRoutes } from './routes.ts';
import { resolveRoutes, resolveService } from './service.ts';
import { resolveTls, tlsContradictions } from './tls.ts';
import { parseTolerantly } from './tolerant-parse.ts';

interface Candidate {
  name: string;
  tree: Tree;
  written: WrittenService;
}

/**
 * From a filled tree to a project. `problems` holds what only shows when everything is seen together; mistakes in the
 * shape of single values were reported before, and what they leave unknown is passed over. With problems the project
 * is a guess and must not be used.
 */
export function resolveProject(
  tree: Tree,
  root: string,
  filling: Filling,
): { project: Project; problems: Problem[]; dev: Map<string, string> } {
  const problems: Problem[] = [];
  const candidates = readServices(tree, filling.environment);
  const environment = resolveEnvironment(tree, filling.environment, { root, candidates });
  const names = serviceNames(tree, filling.environment);

  checkOverrides(tree, names, problems);
  const databases = resolveDatabases(tree, filling, problems);
  const scope = { ...filling, services: names, databases: databases.urls };
  const envs = new Map(
    candidates.map(({ name, tree: merged }) => [
      name,
      { ...databases.env, ...resolveEnv(child(merged, 'env'), scope, problems) },
    ]),
  );
  const asked = new Set([...askedServices(...envs.values()), ...judgesOf(environment.entry)]);

  const services = new Map<string, ServiceConfig>();
  for (const { name, tree: merged, written } of candidates) {
    const isAsked = asked.has(name);
    problems.push(...contradictionsOf({ name, environment: environment.name, written, tree: merged, isAsked }));
    problems.push(...entryContradictions({ name, written, tree: merged, names, secrets: filling.secrets }));
    problems.push(...checkAfter(name, written, merged, names));
    const around = { environment: environment.name, domain: environment.domain, env: envs.get(name) ?? {}, isAsked };
    const service = resolveService(name, written, around);
    services.set(name, service);
    problems.push(...weakHealth(service, merged, environment));
  }
  problems.push(
    ...duplicateRoutes(
      candidates.map(({ name, tree: merged, written }) => ({
        service: name,
        routes: resolveRoutes(written, environment.domain),
        tree: merged,
      })),
    ),
  );

  problems.push(...tlsContradictions(tree, environment, [...services.values()]));
  const order = dependencyOrder(
    new Map([...services].map(([name, { after }]) => [name, after.filter((before) => before !== name)])),
  );
  if (!order.ok) problems.push(cycleProblem(order.cycle, candidates));
  const ordered = (order.ok ? order.names : [...services.keys()]).flatMap((name) => services.get(name) ?? []);
  const name = child(tree, 'project');
  return {
    problems,
    // Beside the project and not in it: what it says of releases would change with it.
    dev: new Map(candidates.flatMap(({ name, written }) => (written.dev === undefined ? [] : [[name, written.dev]]))),
    project: {
      name: name?.kind === 'scalar' ? String(name.value) : '',
      root,
      environment,
      services: ordered,
      secrets: [...filling.secrets],
    },
  };
}

/** Every service that is named, also those of which nothing else can be understood. */
function serviceNames(tree: Tree, environment: string): Map<string, { static: boolean }> {
  const services = child(tree, 'services');
  const names = services?.kind === 'map' ? [...services.entries.keys()] : [];
  return new Map(
    names.map((name) => [name, { static: child(mergeService(tree, environment, name), 'static') !== undefined }]),
  );
}

function readServices(tree: Tree, environment: string): Candidate[] {
  const services = child(tree, 'services');
  if (services?.kind !== 'map') return [];
  return [...services.entries.keys()].flatMap((name) => {
    const merged = mergeService(tree, environment, name);
    if (merged === undefined) return [];
    const written = parseTolerantly(serviceSchema, toPlain(merged));
    return written === null ? [] : [{ name, tree: merged, written }];
  });
}

function resolveEnvironment(
  tree: Tree,
  name: string,
  { root, candidates }: { root: string; candidates: readonly Candidate[] },
): EnvironmentConfig {
  const here = child(child(tree, 'environments'), name);
  const top = parseTolerantly(fileSchema.pick({ port: true, bind: true }), plainKeys(tree, ['port', 'bind']));
  const keys = ['domain', 'port', 'bind', 'approve', 'tls', 'trustedProxies', 'accessLog', 'errorPages', 'maintenance'];
  const written = here === undefined ? null : parseTolerantly(environmentSchema, plainKeys(here, keys));
  const tls = resolveTls(written?.tls, root);
  const project = String(toPlain(child(tree, 'project') ?? tree));
  const entry = resolveEntry(candidates, written, { root, project, domain: written?.domain ?? null });
  return {
    name,
    domain: written?.domain ?? null,
    port: written?.port ?? top?.port ?? DEFAULT_PORT,
    bind: written?.bind ?? top?.bind ?? defaultBind(name),
    approve: { people: written?.approve?.people ?? 0 },
    ...(tls === undefined ? {} : { tls }),
    ...(entry === undefined ? {} : { entry }),
  };
}

function resolveDatabases(tree: Tree, filling: Filling, problems: Problem[]) {
  const urls = new Map<string, EnvPart[] | null>();
  const env: Record<string, EnvPart[]> = {};
  const databases = child(tree, 'databases');
  if (databases?.kind === 'map') {
    for (const [name, entry] of databases.entries) {
      const url = resolveUrl(child(entry.value, 'url'), filling, problems);
      urls.set(name, url);
      if (url !== null) env[databaseVariable(name)] = url;
    }
  }
  return { urls, env };
}

/** The variable in which services find the url of a database. */
export function databaseVariable(name: string): string {
  return name === 'main' ? 'DATABASE_URL' : `${name.toUpperCase().replaceAll('-', '_')}_DATABASE_URL`;
}

function checkOverrides(tree: Tree, names: ReadonlyMap<string, unknown>, problems: Problem[]): void {
  const environments = child(tree, 'environments');
  if (environments?.kind !== 'map') return;
  const known = [...names.keys()];
  for (const { value: environment } of environments.entries.values()) {
    const overrides = child(environment, 'services');
    if (overrides?.kind !== 'map') continue;
    for (const [name, entry] of overrides.entries) {
      if (known.includes(name)) continue;
      problems.push(problemAt(entry.place, entry.value.path, noService(name, known)));
    }
  }
}

function checkAfter(name: string, written: WrittenService, tree: Tree, names: ReadonlyMap<string, unknown>): Problem[] {
  return (written.after ?? []).flatMap((before, index) => {
    const item = descend(tree, ['after', String(index)]) ?? child(tree, 'after') ?? tree;
    if (before === name) {
      const message = `\`${name}\` cannot wait for itself`;
      return [problemAt(item.place, item.path, { code: 'cycle', message, hint: 'take it out' })];
    }
    return names.has(before) ? [] : [problemAt(item.place, item.path, noService(before, [...names.keys()], name))];
  });
}

function noService(name: string, known: readonly string[], self?: string) {
  const meant = suggest(
    name,
    known.filter((other) => other !== self),
  );
  return {
    code: 'unknown-reference',
    message: `there is no service \`${name}\``,
    expected: known.length === 0 ? null : `one of ${known.join(', ')}`,
    hint: meant === null ? null : `did you mean "${meant}"?`,
  } as const;
}

function cycleProblem(cycle: readonly string[], candidates: readonly Candidate[]): Problem {
  const tree = candidates.find(({ name }) => name === cycle[0])?.tree;
  const after = child(tree, 'after') ?? tree;
  const message = `services wait for each other: ${cycle.join(' -> ')}`;
  const place = after?.place ?? { file: '', line: 0, column: 0 };
  return problemAt(place, after?.path ?? [], { code: 'cycle', message, hint: 'take one `after` out of the circle' });
}

/** Outside development somebody relies on the checks, and an accepted connection proves little. */
function weakHealth(service: ServiceConfig, tree: Tree, environment: EnvironmentConfig): Problem[] {
  if (environment.name === 'development' || service.kind !== 'http' || service.routes.length === 0) return [];
  if (hasKey(tree, 'health') || hasKey(tree, 'static')) return [];
  return [
    problemAt(keyPlace(tree, []), tree.path, {
      code: 'weak-health',
      severity: 'warning',
      message: `\`${service.name}\` has no \`health\`: an accepted connection counts as healthy`,
      hint: 'add `health: /PATH` that answers 2xx, or `health: false` if this is meant',
    }),
  ];
}

function hasKey(tree: Tree, key: string): boolean {
  return child(tree, key) !== undefined;
}

function plainKeys(tree: Tree, keys: readonly string[]): unknown {
  const entries = keys.flatMap((key): [string, unknown][] => {
    const value = child(tree, key);
    return value === undefined ? [] : [[key, toPlain(value)]];
  });
  return Object.fromEntries(entries);
}
