import type { Project, ServiceConfig } from '../../domain/project/project.ts';
import type { Deployment, Release, SourceInfo } from '../../domain/release/release.ts';
import { beginRollout, type Change } from '../../domain/rollout/begin.ts';
import type { RemovedService, Rollout } from '../../domain/rollout/rollout.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import type { EnvironmentRecord } from '../../ports/store.ts';
import type { EngineDeps } from '../deps.ts';
import type { Engine } from '../engine.ts';
import { ensurePorts } from './ports.ts';
import { createOrReplace, underWay } from './create.ts';
import { requireUp } from './require-up.ts';

export interface DeployInput {
  project: Project;
  /** Null: every service. */
  services: string[] | null;
  /** Leave out what is unchanged and runs. */
  onlyChanged: boolean;
  label: string | null;
  replace: boolean;
  keepFailed: boolean | null;
  by: string;
}

export interface Begun {
  rollout: Rollout | null;
  message: string;
}

/** Begins a rollout of new releases of a project's services. Answers once it is recorded; the loop does the rest. */
export async function deploy(engine: Engine, input: DeployInput): Promise<Begun> {
  const { deps } = engine;
  const { project } = input;
  const scope = { project: project.name, environment: project.environment.name };
  const chosen = chooseServices(project, input.services);
  await refuseForeignRoot(deps, project);
  const before = await deps.store.environment(scope.project, scope.environment);
  const deployments = await deps.store.deployments(scope.project, scope.environment);
  // Who names services means those alone; the whole file also says what is not there any more.
  const removes = input.services === null ? await removedServices(deps, project, deployments) : [];
  const onlyChanged = input.onlyChanged ? await changedServices(deps, project, chosen, deployments) : chosen;
  // A rollout brings something; without anything new it is the rest of the unit that takes over alone.
  const changed = onlyChanged.length === 0 && removes.length > 0 ? chosen : onlyChanged;
  if (!input.replace) await refuseWhileUnderWay(deps, scope, changed);
  await deps.store.saveEnvironment({ ...scope, config: project, wanted: 'up', updatedAt: deps.clock.now() });
  if (changed.length === 0) {
    engine.wake(scope);
    const message =
      before?.wanted === 'down' ? 'nothing changed; started again' : 'nothing changed since the last rollout';
    return { rollout: null, message };
  }
  await ensurePorts(deps, scope, chosen);
  const source = await deps.builder.sourceInfo(project.root, input.label);
  const releases = await newReleases(deps, scope, changed, source, input.by);
  const reason = `deploy of ${releases.map((each) => each.id).join(', ')} by ${input.by}${wordsOn(removes)}`;
  const make = async (serving: Deployment[]): Promise<Rollout> =>
    beginRollout({
      id: deps.newId(),
      ...scope,
      kind: 'deploy',
      changes: releases.map((release): Change => ({
        config: release.config,
        from: currentOf(serving, release.service),
        to: release.id,
        old: false,
      })),
      removes,
      approvalsNeeded: project.environment.approve.people,
      keepFailed: input.keepFailed,
      by: input.by,
      reason,
      now: deps.clock.now(),
    });
  const created = await createOrReplace(engine, make, { ...scope, replace: input.replace, by: input.by });
  return { rollout: created, message: reason };
}

/** Before anything is written: a deploy that is refused must not have changed the environment's port, or brought it up. */
async function refuseWhileUnderWay(
  deps: EngineDeps,
  scope: { project: string; environment: string },
  changed: ServiceConfig[],
): Promise<void> {
  const open = await deps.store.rollouts({ ...scope, unsettled: true });
  const blocking = open.find(
    (each) =>
      each.end === null &&
      each.phase !== 'watching' &&
      each.services.some(({ service }) => changed.some(({ name }) => name === service)),
  );
  if (blocking !== undefined) throw underWay(blocking);
}

function chooseServices(project: Project, names: string[] | null): ServiceConfig[] {
  if (names === null) return project.services;
  for (const name of names) {
    if (project.services.some((each) => each.name === name)) continue;
    throw new EvenkeelError({
      code: 'service-unknown',
      what: `there is no service ${name} in project ${project.name}`,
      where: 'evenkeel.yaml',
      next: `one of: ${project.services.map((each) => each.name).join(', ')}`,
    });
  }
  return project.services.filter((each) => names.includes(each.name));
}

/** What serves of services that are not in the file any more. */
async function removedServices(
  deps: EngineDeps,
  project: Project,
  deployments: Deployment[],
): Promise<RemovedService[]> {
  const removed: RemovedService[] = [];
  for (const { service, current } of deployments) {
    if (current === null || project.services.some((each) => each.name === service)) continue;
    const release = await deps.store.release(project.name, current);
    removed.push({ service, release: current, kind: release?.config.kind ?? 'http' });
  }
  return removed;
}

const wordsOn = (removes: RemovedService[]): string =>
  removes.length === 0
    ? ''
    : `; ${removes.map((each) => each.service).join(', ')} ${removes.length === 1 ? 'is' : 'are'} not in evenkeel.yaml any more and will be taken down`;

/** Two folders that call themselves by one name would take each other's services down in turn. A folder that was moved is one. */
async function refuseForeignRoot(deps: EngineDeps, project: Project): Promise<void> {
  const here = await deps.places.projectFolder(project.root);
  let known: EnvironmentRecord | undefined;
  for (const each of await deps.store.environments()) {
    if (each.project !== project.name || each.wanted !== 'up' || each.config.root === project.root) continue;
    const there = await deps.places.projectFolder(each.config.root);
    if (there !== null && there !== here) known ??= each;
  }
  if (known === undefined) return;
  throw new EvenkeelError({
    code: 'project-elsewhere',
    what: `project ${project.name} is already up from another folder`,
    where: known.config.root,
    why: 'two folders with one project name would replace each other',
    next: `rename one of them (project: in evenkeel.yaml), or stop the other there: evenkeel down --env ${known.environment}`,
  });
}

async function changedServices(
  deps: EngineDeps,
  project: Project,
  chosen: ServiceConfig[],
  deployments: Deployment[],
): Promise<ServiceConfig[]> {
  const changed: ServiceConfig[] = [];
  for (const config of chosen) {
    const current = currentOf(deployments, config.name);
    const release = current === null ? null : await deps.store.release(project.name, current);
    const same =
      release !== null &&
      release.configDigest === configDigest(deps, config) &&
      release.artifact !== null &&
      release.artifact === (await deps.builder.artifactOf(await deps.builder.inputDigest(project.root, config)));
    if (!same) changed.push(config);
  }
  return changed;
}

const currentOf = (serving: Deployment[], service: string): string | null =>
  serving.find((each) => each.service === service)?.current ?? null;

const configDigest = (deps: Pick<EngineDeps, 'digest'>, config: ServiceConfig): string =>
  deps.digest(JSON.stringify(config));

async function newReleases(
  deps: EngineDeps,
  scope: { project: string; environment: string },
  configs: ServiceConfig[],
  source: SourceInfo,
  by: string,
): Promise<Release[]> {
  const numbers = await deps.store.reserveReleaseNumbers(
    scope.project,
    configs.map((each) => each.name),
  );
  const releases = configs.map((config): Release => {
    const number = numbers[config.name] ?? 0;
    return {
      id: `${config.name}@${number}`,
      ...scope,
      service: config.name,
      number,
      source,
      artifact: null,
      configDigest: configDigest(deps, config),
      config,
      createdBy: by,
      createdAt: deps.clock.now(),
    };
  });
  await deps.store.addReleases(releases);
  return releases;
}

/** A release of the same files and configuration under a new number: fresh instances, fresh secrets, nothing built. */
export async function restart(
  engine: Engine,
  input: { project: string; environment: string; services: string[]; by: string },
): Promise<Begun> {
  const { deps } = engine;
  const scope = { project: input.project, environment: input.environment };
  await requireUp(deps, scope);
  const reason = `restart of ${input.services.join(', ')} by ${input.by}`;
  const make = async (serving: Deployment[]): Promise<Rollout> =>
    beginRollout({
      id: deps.newId(),
      ...scope,
      kind: 'deploy',
      changes: await freshReleases(deps, scope, serving, input),
      approvalsNeeded: 0,
      keepFailed: null,
      by: input.by,
      reason,
      now: deps.clock.now(),
    });
  return { rollout: await createOrReplace(engine, make, { ...scope, replace: false, by: input.by }), message: reason };
}

async function freshReleases(
  deps: EngineDeps,
  scope: { project: string; environment: string },
  serving: Deployment[],
  input: { services: string[]; by: string },
): Promise<Change[]> {
  const changes: Change[] = [];
  for (const service of input.services) {
    const current = currentOf(serving, service);
    const release = current === null ? null : await deps.store.release(scope.project, current);
    if (release === null || release.artifact === null)
      throw new EvenkeelError({
        code: 'service-not-deployed',
        what: `${service} has no release to restart`,
        next: `evenkeel deploy ${service}`,
      });
    const [fresh] = await newReleases(deps, scope, [release.config], release.source, input.by);
    if (fresh === undefined) continue;
    await deps.store.setArtifact(scope.project, fresh.id, release.artifact);
    changes.push({ config: release.config, from: release.id, to: fresh.id, old: true });
  }
  return changes;
}
