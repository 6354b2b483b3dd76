import { askedServices } from '../../domain/project/asked-services.ts';
import type { CloudService } from '../../domain/cloud/config.ts';
import type { EnvironmentConfig, Project, ServiceConfig } from '../../domain/project/project.ts';
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
import { resolveCloud } from './cloud/config.ts';
import { cloudRunContradictions, processContradictions } from './cloud/contradictions.ts';
import { mentionsCloud, runtimeOf } from './cloud/place.ts';
import { cloudService } from './cloud/services.ts';
import { resolveSurroundings } from './cloud/surroundings.ts';
import type { Candidate } from './cloud/surroundings.ts';
import { contradictionsOf } from './contradictions.ts';
import { resolveEnv } from './env.ts';
import { mergeService } from './merge.ts';
import { resolveEntry } from './entry.ts';
import { objectivesContradictions, resolveObjectives } from './objectives.ts';
import { entryContradictions, judgesOf } from './entry-contradictions.ts';
import { dependencyOrder } from './order.ts';
import { duplicateRoutes } from './routes.ts';
import { resolveRoutes, resolveService } from './service.ts';
import { resolveTls, tlsContradictions } from './tls.ts';
import { parseTolerantly } from './tolerant-parse.ts';

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
  const surroundings = resolveSurroundings(tree, candidates, filling, problems);
  const { place, databases } = surroundings;
  const scope = { ...filling, services: names, databases: databases.urls };
  const written = new Map(
    candidates.map(({ name, tree: merged }) => [name, resolveEnv(child(merged, 'env'), scope, problems)]),
  );
  const envs = new Map(
    candidates.map((candidate) => [
      candidate.name,
      { ...surroundings.envOf(candidate), ...written.get(candidate.name) },
    ]),
  );
  const onCloudRun = runtimeOf(tree, filling.environment) === 'cloud-run';
  // There everybody is told everybody's address, which asks for nothing.
  const askedBy = onCloudRun ? written : envs;
  const asked = new Set([...askedServices(...askedBy.values()), ...judgesOf(environment.entry)]);
  const inCloud = mentionsCloud(tree);
  const inTheCloud: CloudService[] = [];

  const services = new Map<string, ServiceConfig>();
  for (const { name, tree: merged, written: keys } of candidates) {
    const isAsked = asked.has(name) || (onCloudRun && !hasKey(merged, 'schedule'));
    const subject = { name, written: keys, tree: merged, env: envs.get(name) ?? {}, isAsked: asked.has(name) };
    problems.push(...(onCloudRun ? cloudRunContradictions(subject) : processContradictions(subject, inCloud)));
    problems.push(
      ...contradictionsOf({ onCloudRun, name, environment: environment.name, written: keys, tree: merged, isAsked }),
    );
    problems.push(...entryContradictions({ name, written: keys, tree: merged, names, secrets: filling.secrets }));
    problems.push(...objectivesContradictions({ name, written: keys, tree: merged, isAsked }));
    problems.push(...checkAfter(name, keys, merged, names));
    const around = {
      environment: environment.name,
      domain: environment.domain,
      env: envs.get(name) ?? {},
      isAsked,
      onCloudRun,
    };
    const service = resolveService(name, keys, around);
    services.set(name, service);
    if (onCloudRun && place !== null) inTheCloud.push(cloudService(service, keys, place, databases.cloud !== null));
    problems.push(...weakHealth(service, merged, environment));
  }
  problems.push(
    ...duplicateRoutes(
      candidates.map(({ name, tree: merged, written: keys }) => ({
        service: name,
        routes: resolveRoutes(keys, environment.domain),
        tree: merged,
      })),
    ),
  );

  if (!onCloudRun) problems.push(...tlsContradictions(tree, environment, [...services.values()]));
  const order = dependencyOrder(
    new Map([...services].map(([name, { after }]) => [name, after.filter((before) => before !== name)])),
  );
  if (!order.ok) problems.push(cycleProblem(order.cycle, candidates));
  const ordered = (order.ok ? order.names : [...services.keys()]).flatMap((name) => services.get(name) ?? []);
  const name = child(tree, 'project');
  return {
    problems,
    // Beside the project and not in it: what it says of releases would change with it.
    dev: new Map(candidates.flatMap(({ name, written: { dev } }) => (dev === undefined ? [] : [[name, dev]]))),
    project: {
      name: name?.kind === 'scalar' ? String(name.value) : '',
      root,
      environment,
      services: ordered,
      secrets: [...new Set([...filling.secrets, ...databases.secrets])],
      ...(place === null
        ? {}
        : { cloud: resolveCloud(place, { ...surroundings, root, services: inTheCloud }, problems) }),
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
  const objectives = resolveObjectives(candidates);
  return {
    name,
    domain: written?.domain ?? null,
    port: written?.port ?? top?.port ?? DEFAULT_PORT,
    bind: written?.bind ?? top?.bind ?? defaultBind(name),
    approve: { people: written?.approve?.people ?? 0 },
    ...(tls === undefined ? {} : { tls }),
    ...(entry === undefined ? {} : { entry }),
    ...(objectives === undefined ? {} : { objectives }),
  };
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
