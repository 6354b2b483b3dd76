import type { ServiceConfig } from '../../domain/project/project.ts';
import { unlike } from '../../domain/release/carry-over.ts';
import type { Deployment, Release } from '../../domain/release/release.ts';
import { beginRollout } from '../../domain/rollout/begin.ts';
import type { Rollout } from '../../domain/rollout/rollout.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import type { EnvironmentRecord } from '../../ports/store.ts';
import type { EngineDeps } from '../deps.ts';
import type { Engine } from '../engine.ts';
import { approvalsFor } from './approvals.ts';
import { chooseServices } from './changed.ts';
import { refuseTakenRoutes } from './claims.ts';
import { createOrReplace, refuseWhileUnderWay } from './create.ts';
import type { Begun } from './deploy.ts';
import { changesTo, currentOf, newReleases, newValues, saidNewValues } from './new-releases.ts';
import { ensurePorts } from './ports.ts';
import { requireUp } from './require-up.ts';

export interface PromoteReleasesInput {
  project: string;
  /** Where to. */
  environment: string;
  /** Where they serve. */
  from: string;
  /** Null: every service of the environment that it is done for. */
  services: string[] | null;
  /** Go on although a build has read values that are others there. */
  acceptBuild: boolean;
  comment: string | null;
  by: string;
  /** The human being behind that, who does not approve it; absent: not known. */
  human?: string;
}

interface Carried {
  config: ServiceConfig;
  release: Release;
  artifact: string;
}

/**
 * Rolls out in one environment what serves in another: the same files, built once, with the configuration that the
 * environment has, and with its canary, its approvals and its smoke tests. Nothing is built.
 *
 * Throws EvenkeelError `environment-unknown`, `environment-down`, `service-unknown`, `nothing-to-promote`,
 * `built-for-another`, `definition-behind`, `artifact-gone`, and what `deploy` throws about what is under way.
 */
export async function promoteReleases(engine: Engine, input: PromoteReleasesInput): Promise<Begun> {
  const { deps } = engine;
  const { project, environment, from } = input;
  const scope = { project, environment };
  const record = await recordOf(deps, project, environment);
  await recordOf(deps, project, from);
  await requireUp(deps, scope);
  const serving = await deps.store.deployments(project, environment);
  const carried = await whatIsNew(deps, record, input, serving);
  if (carried.length === 0)
    return { rollout: null, message: `${environment} serves the same files as ${from} already` };
  refuseUnlike(carried, input);
  const names = carried.map(({ config }) => config.name);
  await refuseWhileUnderWay(deps, scope, names, false);
  await refuseTakenRoutes(deps, record.config, { changed: carried.map(({ config }) => config), removes: [], serving });
  await ensurePorts(
    deps,
    scope,
    carried.map(({ config }) => config),
  );
  const approvals = await approvalsFor(deps, scope, record.config.environment.approve.people);
  const releases = await made(deps, scope, carried, input.by);
  const make = async (now: Deployment[]): Promise<Rollout> => {
    const secrets = saidNewValues(await newValues(deps, releases, now));
    const list = carried.map(({ release }, index) => `${releases[index]?.id} (${release.id} of ${from})`).join(', ');
    return beginRollout({
      id: deps.newId(),
      ...scope,
      kind: 'deploy',
      changes: (await changesTo(deps, releases, now)).map((each) => ({ ...each, isBuilt: true })),
      approvalsNeeded: approvals.needed,
      approvalRule: approvals.rule,
      keepFailed: null,
      by: input.by,
      human: input.human ?? null,
      reason:
        [`promotion of ${list} by ${input.by}`, ...secrets, ...(input.comment === null ? [] : [input.comment])].join(
          '; ',
        ) + approvals.aside,
      now: deps.clock.now(),
    });
  };
  const rollout = await createOrReplace(engine, make, { ...scope, replace: false, by: input.by });
  return { rollout, message: rollout.reason };
}

async function recordOf(deps: EngineDeps, project: string, environment: string): Promise<EnvironmentRecord> {
  const record = await deps.store.environment(project, environment);
  if (record !== null) return record;
  throw new EvenkeelError({
    code: 'environment-unknown',
    what: `nothing of ${project} was ever deployed to ${environment}`,
    why: 'its configuration comes with its first deploy',
    next: `evenkeel deploy --env ${environment}`,
  });
}

/** What serves there and has other files, or another configuration, than what serves here; in the order of the file. */
async function whatIsNew(
  deps: EngineDeps,
  record: EnvironmentRecord,
  { project, from, services }: PromoteReleasesInput,
  serving: Deployment[],
): Promise<Carried[]> {
  const there = await deps.store.deployments(project, from);
  const carried: Carried[] = [];
  for (const config of chooseServices(record.config, services)) {
    const id = currentOf(there, config.name);
    const release = id === null ? null : await deps.store.release(project, id);
    if (release === null || release.artifact === null) {
      // Who names it waits for it; of all services it is one that the other environment does not have.
      if (services === null) continue;
      throw new EvenkeelError({
        code: 'nothing-to-promote',
        what: `${config.name} serves nothing in ${from} that could be promoted`,
        next: `evenkeel status --env ${from}`,
      });
    }
    const current = currentOf(serving, config.name);
    const now = current === null ? null : await deps.store.release(project, current);
    if (now?.artifact === release.artifact) continue;
    if (!(await deps.builder.has(release.artifact)))
      throw new EvenkeelError({
        code: 'artifact-gone',
        what: `the files of ${release.id} are not there any more`,
        next: `evenkeel deploy ${config.name} --env ${from} makes them again`,
      });
    carried.push({ config, release, artifact: release.artifact });
  }
  return carried;
}

function refuseUnlike(carried: readonly Carried[], { environment, from, acceptBuild }: PromoteReleasesInput): void {
  const found = carried.flatMap(({ config, release }) => {
    const difference = unlike(release.config, config);
    return difference === null ? [] : [{ service: config.name, ...difference }];
  });
  const said = (list: typeof found): string =>
    list.map(({ service, keys }) => `${service} (${keys.join(', ')})`).join(', ');
  const behind = found.filter(({ kind }) => kind === 'definition');
  const built = found.filter(({ kind }) => kind === 'build');
  if (behind.length > 0)
    throw new EvenkeelError({
      code: 'definition-behind',
      what: `${environment} knows another program of ${said(behind)} than ${from} runs`,
      why: `its definition is that of its last deploy, and what says how these files are run is different there`,
      next: `evenkeel deploy --env ${environment}, in the folder of evenkeel.yaml`,
    });
  if (built.length > 0 && !acceptBuild)
    throw new EvenkeelError({
      code: 'built-for-another',
      what: `${said(built)}: built with the values of ${from}, which are others in ${environment}`,
      why: 'a build may write what it reads into its files; whether this one does, only its authors know',
      next: `evenkeel deploy ${built.map(({ service }) => service).join(' ')} --env ${environment} builds it for ${environment}; or say that the files hold nothing of ${from} (--accept-build)`,
    });
}

/** New releases of this environment that have their files already, each from where those came. */
async function made(
  deps: EngineDeps,
  scope: { project: string; environment: string },
  carried: readonly Carried[],
  by: string,
): Promise<Release[]> {
  const releases: Release[] = [];
  for (const { config, release, artifact } of carried) {
    const [fresh] = await newReleases(deps, scope, [config], release.source, by);
    if (fresh === undefined) continue;
    await deps.store.setArtifact(scope.project, fresh.id, artifact);
    releases.push({ ...fresh, artifact });
  }
  return releases;
}
