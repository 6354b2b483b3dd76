import type { NamedRoutes } from '../../domain/project/entry.ts';
import { carryOver, pagesOf, routeKey, withPages } from '../../domain/project/entry.ts';
import type { EnvironmentConfig, Project } from '../../domain/project/project.ts';
import { serviceKey } from '../../domain/traffic/protocol.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import type { EnvironmentRecord } from '../../ports/store.ts';
import type { EngineDeps } from '../deps.ts';
import type { Engine } from '../engine.ts';
import { addressesOf, routeEntry, serviceEntry } from '../entry.ts';
import { until } from './until.ts';

/**
 * The project as it is to be kept: its pages are copied, so that nothing that happens to its folder changes what clients
 * see; what it no longer says about services that may still serve is kept; and so is what a person switched.
 */
export async function keepEntry(
  deps: Pick<EngineDeps, 'places'>,
  project: Project,
  before: EnvironmentRecord | null,
): Promise<Project> {
  const { environment } = project;
  const placed = new Map<string, string>();
  for (const file of environment.entry === undefined ? [] : pagesOf(environment.entry))
    placed.set(file, await deps.places.keepPage(file));
  const written =
    environment.entry === undefined ? undefined : withPages(environment.entry, (file) => placed.get(file) ?? file);
  const entry = carryOver(before?.config.environment.entry, written, namedRoutes(project));
  const switched = before?.config.environment.switched;
  const { entry: _entry, switched: _switched, ...rest } = environment;
  return {
    ...project,
    environment: {
      ...rest,
      ...(entry === undefined ? {} : { entry }),
      ...(switched === undefined ? {} : { switched }),
    },
  };
}

const namedRoutes = (project: Project): NamedRoutes =>
  new Map(project.services.map(({ name, routes }) => [name, new Set(routes.map(routeKey))]));

export const entryChanged = (before: EnvironmentRecord | null, project: Project): boolean =>
  said(before?.config.environment) !== said(project.environment);

/** Nothing holds them: they are only shown. */
export const objectivesChanged = (before: EnvironmentRecord | null, { environment }: Project): boolean =>
  !same(before?.config.environment.objectives ?? null, environment.objectives ?? null);

const said = (environment: EnvironmentConfig | undefined): string =>
  JSON.stringify([environment?.entry ?? null, environment?.switched ?? null]);

const PATIENCE_MS = 20_000;

/**
 * Waits until the edge lets in whom it ought to. Throws EvenkeelError `entry-not-applied` when it does not in time, or
 * when it refuses what it is told.
 */
export async function untilEntryHolds(engine: Engine, scope: { project: string; environment: string }): Promise<void> {
  const { store, traffic } = engine.deps;
  const holds = async (): Promise<boolean> => {
    // As it ought to be now: somebody else may have said more since.
    const [edge, record, deployments] = await Promise.all([
      traffic.state(scope).catch(() => null),
      store.environment(scope.project, scope.environment),
      store.deployments(scope.project, scope.environment),
    ]);
    if (edge === null || record === null) return false;
    const { entry, switched } = record.config.environment;
    // Passwords are not known here; who has one is seen.
    const input = { entry, switched, hashOf: () => '', addressOf: addressesOf(deployments) };
    return edge.services
      .filter(({ config }) => config.project === scope.project && config.environment === scope.environment)
      .every(({ config }) => {
        const key = serviceKey(config);
        const service = key.slice(key.lastIndexOf('/') + 1);
        const { trustedProxies, maintenance, pages, accessLog } = config;
        const wanted = serviceEntry(input, service);
        const seen = [trustedProxies, maintenance ?? undefined, pages, accessLog ?? undefined];
        return (
          same(seen, [wanted.trustedProxies, wanted.maintenance, wanted.pages, wanted.accessLog]) &&
          config.routes.every(({ host, path, policy, maxBody }) =>
            same(blurred({ policy, maxBody }), blurred(routeEntry(input, service, { host, path }))),
          )
        );
      });
  };
  await until(engine, holds, {
    what: 'the edge to let in whom it ought to',
    timeoutMs: PATIENCE_MS,
  }).catch((cause: unknown) => {
    throw new EvenkeelError({
      code: 'entry-not-applied',
      what: 'the edge did not take over who is to be let in',
      where: `environments.${scope.environment} in evenkeel.yaml`,
      why: cause instanceof Error ? cause.message : String(cause),
      next: 'evenkeel doctor',
      exit: 2,
      cause,
    });
  });
}

const same = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other);

function blurred({ policy, maxBody }: ReturnType<typeof routeEntry>): unknown {
  if (policy === undefined) return [maxBody];
  const { allow, deny, basicAuth, forwardAuth, rate } = policy;
  const users = basicAuth?.users.map(({ name }) => name);
  return [maxBody, allow, deny, basicAuth?.realm, basicAuth?.passOn, users, forwardAuth, rate];
}
