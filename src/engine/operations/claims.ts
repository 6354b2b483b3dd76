import { type Claim, firstClash, routeName } from '../../domain/project/claims.ts';
import type { Listen, Project, ServiceConfig } from '../../domain/project/project.ts';
import type { Deployment } from '../../domain/release/release.ts';
import type { RemovedService, Rollout } from '../../domain/rollout/rollout.ts';
import { isEverywhere } from '../../domain/traffic/admission.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import type { EnvironmentRecord } from '../../ports/store.ts';
import type { EngineDeps } from '../deps.ts';
import { currentOf } from './new-releases.ts';

interface Wanted {
  changed: ServiceConfig[];
  removes: RemovedService[];
  serving: Deployment[];
}

/**
 * Refuses a deploy whose routes or port somebody else has, before anything is built: another environment of this
 * server, or another service of this one that the rollout leaves as it is. The edge would refuse the same when the
 * routes were to open; whoever loses a race against another deploy is still told there.
 *
 * Throws EvenkeelError `route-taken` or `port-taken`.
 */
export async function refuseTakenRoutes(deps: EngineDeps, project: Project, wanted: Wanted): Promise<void> {
  const claims = wanted.changed.flatMap((config) => claimsOf(project, config, project.environment));
  // A port that moves takes the routes of what stays as it is along.
  const staying = await stayingClaims(deps, project, wanted);
  await refuseInternalPort(deps, project, claims.length + staying.length > 0);
  const others = await claimsOfOthers(deps, project);
  await refuseMovedInCanary(deps, project, wanted, claims);
  // What it has already, nobody else can have: who asks for the same at this moment is told so.
  const held = await heldClaims(deps, project, wanted.serving);
  const asked = [...claims, ...staying].filter((claim) => !held.some((each) => isSame(each, claim)));
  const clash = firstClash(asked, others) ?? firstClash(claims, staying);
  if (clash === null) return;
  const { kind, taken } = clash;
  const own = taken.project === project.name && taken.environment === project.environment.name;
  const owner = own ? `service ${taken.service}, which this deploy leaves as it is` : placeOf(taken);
  if (kind !== 'route')
    throw new EvenkeelError({
      code: 'port-taken',
      what: `port ${taken.port} of ${clash.wanted.bind} is taken by ${owner}`,
      where: `environments.${project.environment.name} in evenkeel.yaml`,
      why:
        kind === 'address'
          ? `that one listens on ${taken.bind}:${taken.port}, and one of the two addresses includes the other`
          : `that one is served ${taken.tls ? 'over TLS' : 'in plain'} there, and a port speaks either`,
      next: `give one of them another \`port\`${kind === 'address' ? ', or both the same `bind`' : ''}`,
    });
  throw new EvenkeelError({
    code: 'route-taken',
    what: `the route ${routeName(clash.wanted)} of ${clash.wanted.service} is taken by ${owner}`,
    where: `services.${clash.wanted.service}.routes in evenkeel.yaml`,
    why: 'one route leads to one service',
    next: own
      ? `deploy both together: evenkeel deploy ${taken.service} ${clash.wanted.service}`
      : 'give one of them another `port`, host (`domain`) or path, or take that one down: ' +
        `evenkeel down --env ${taken.environment}, in its folder`,
  });
}

/** Public routes of this environment that are open now. */
async function heldClaims(deps: Pick<EngineDeps, 'store'>, project: Project, serving: Deployment[]): Promise<Claim[]> {
  const record = await deps.store.environment(project.name, project.environment.name);
  if (record?.wanted !== 'up') return [];
  const releases = await Promise.all(
    serving.flatMap(({ current }) => (current === null ? [] : [deps.store.release(project.name, current)])),
  );
  return releases.flatMap((each) =>
    each === null
      ? []
      : claimsOf(
          { name: project.name, environment: record.config.environment },
          each.config,
          record.config.environment,
        ),
  );
}

const isSame = (one: Claim, other: Claim): boolean => routeName(one) === routeName(other) && one.bind === other.bind;

const placeOf = ({ project, environment, service }: Claim): string => `${project}/${environment}/${service}`;

function claimsOf(
  { name, environment }: Pick<Project, 'name' | 'environment'>,
  config: ServiceConfig,
  { port, bind }: Listen,
): Claim[] {
  // In the cloud each service has an address of its own, and nothing of this machine.
  if (config.cloud !== undefined) return [];
  const scope = { project: name, environment: environment.name, service: config.name };
  const { tls } = environment;
  return config.routes.flatMap(({ host, path }) => [
    { ...scope, port, bind, host, path, tls: false },
    ...(tls === undefined ? [] : [{ ...scope, port: tls.port, bind, host, path, tls: true }]),
  ]);
}

/** Of services of this environment that serve and that the rollout neither replaces nor takes away. */
async function stayingClaims(deps: Pick<EngineDeps, 'store'>, project: Project, wanted: Wanted): Promise<Claim[]> {
  const leaves = new Set([...wanted.changed.map((each) => each.name), ...wanted.removes.map((each) => each.service)]);
  const ids = wanted.serving.filter(({ service }) => !leaves.has(service)).flatMap(({ current }) => current ?? []);
  const releases = await Promise.all(ids.map((id) => deps.store.release(project.name, id)));
  return releases.flatMap((each) => (each === null ? [] : claimsOf(project, each.config, project.environment)));
}

/** While a canary runs, old and new releases answer side by side, and so would the old and the new owner of a route. */
async function refuseMovedInCanary(
  deps: Pick<EngineDeps, 'store'>,
  project: Project,
  { changed, removes, serving }: Wanted,
  claims: Claim[],
): Promise<void> {
  const side = changed.filter(({ rollout }) => rollout.canary.length > 0 || rollout.holdback > 0);
  const first = serving.every((each) => each.current === null || !changed.some(({ name }) => name === each.service));
  if (side.length === 0 || first) return;
  const leaving = [...changed.map(({ name }) => name), ...removes.map(({ service }) => service)];
  for (const service of leaving) {
    const current = currentOf(serving, service);
    const release = current === null ? null : await deps.store.release(project.name, current);
    if (release === null) continue;
    const others = claims.filter((each) => each.service !== service);
    const clash = firstClash(others, claimsOf(project, release.config, project.environment));
    if (clash === null) continue;
    throw new EvenkeelError({
      code: 'route-taken',
      what: `the route ${routeName(clash.wanted)} moves from ${service} to ${clash.wanted.service}`,
      where: `services.${clash.wanted.service}.routes in evenkeel.yaml`,
      why: 'during a canary (or with a holdback) the old and the new release answer side by side, and one route leads to one service',
      next: `for this one deploy write \`rollout: { canary: false, holdback: 0% }\` for ${side.map(({ name }) => name).join(', ')}`,
    });
  }
}

async function claimsOfOthers(deps: Pick<EngineDeps, 'store'>, project: Project): Promise<Claim[]> {
  const records = (await deps.store.environments()).filter(
    (each) => each.wanted === 'up' && (each.project !== project.name || each.environment !== project.environment.name),
  );
  return (await Promise.all(records.map((record) => claimsOfEnvironment(deps, record)))).flat();
}

/** What serves there, and what is on its way: who asks first is not built in vain. */
async function claimsOfEnvironment(deps: Pick<EngineDeps, 'store'>, record: EnvironmentRecord): Promise<Claim[]> {
  const { project, environment, config } = record;
  const release = async (id: string, listen: Listen): Promise<Claim[]> => {
    const known = await deps.store.release(project, id);
    return known === null ? [] : claimsOf(config, known.config, listen);
  };
  const serving = (await deps.store.deployments(project, environment)).flatMap(({ current }) => current ?? []);
  const open = (await deps.store.rollouts({ project, environment, unsettled: true })).filter(({ end }) => end === null);
  const lists = await Promise.all([
    ...serving.map((id) => release(id, config.environment)),
    ...open.flatMap(({ services, opens }) => services.map(({ to }) => release(to, opens?.to ?? config.environment))),
  ]);
  return lists.flat();
}

/** One port cannot be open at one address and at all of them, so there is no switch from the one to the other. */
export function refuseWiderAddress(opens: Rollout['opens'], environment: string): void {
  if (opens === null || opens.from.port !== opens.to.port) return;
  const { from, to } = opens;
  if (!isEverywhere(from.bind, to.bind) && !isEverywhere(to.bind, from.bind)) return;
  throw new EvenkeelError({
    code: 'port-taken',
    what: `port ${to.port} cannot move from ${from.bind} to ${to.bind} while it is open`,
    where: `environments.${environment}.bind in evenkeel.yaml`,
    why: 'one of the two addresses includes the other, and nobody can listen on both',
    next: `evenkeel down --env ${environment}, then evenkeel up --env ${environment}; or change \`port\` as well`,
  });
}

/** A port that was given to a service for good, for calls between services or for previews. */
async function refuseInternalPort(
  deps: Pick<EngineDeps, 'store'>,
  project: Project,
  hasRoutes: boolean,
): Promise<void> {
  const { port, name } = project.environment;
  if (!hasRoutes || !(await deps.store.takenPorts()).includes(port)) return;
  throw new EvenkeelError({
    code: 'port-taken',
    what: `port ${port} is the internal address of a service of this server`,
    where: `environments.${name}.port in evenkeel.yaml`,
    why: 'internal addresses are given for good, so that services can rely on them',
    next: 'choose another `port`',
  });
}
