import type { Listen, Project, RolloutPolicy } from '../../domain/project/project.ts';
import type { Deployment } from '../../domain/release/release.ts';
import { approvalsFor } from './approvals.ts';
import { onCloudRun } from '../../domain/cloud/run/on-cloud-run.ts';
import { isAway } from '../../domain/project/is-away.ts';
import { beginRollout } from '../../domain/rollout/begin.ts';
import type { RemovedService, Rollout } from '../../domain/rollout/rollout.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import type { EnvironmentRecord } from '../../ports/store.ts';
import type { EngineDeps } from '../deps.ts';
import type { Engine } from '../engine.ts';
import { type Examined, examineMigrations, refuseBreaking } from '../migrations.ts';
import { changedServices, chooseServices, removedServices } from './changed.ts';
import { refuseTakenRoutes, refuseWiderAddress } from './claims.ts';
import { createOrReplace, refuseWhileUnderWay } from './create.ts';
import { changesTo, newReleases, newValues, saidNewValues } from './new-releases.ts';
import { ensurePorts } from './ports.ts';
import { untilServing } from './started.ts';
import { entryChanged, keepEntry, objectivesChanged, untilEntryHolds } from './entry.ts';
import { refuseMove } from './runtime-move.ts';
import { inTurn } from './in-turn.ts';
import { tlsChanged, untilTlsServed } from './tls.ts';

export interface DeployInput {
  project: Project;
  /** Null: every service. */
  services: string[] | null;
  /** Leave out what is unchanged and runs. */
  onlyChanged: boolean;
  label: string | null;
  replace: boolean;
  keepFailed: boolean | null;
  /** Go on although what serves may not survive the new migrations. */
  allowBreakingMigrations?: boolean;
  by: string;
  /** The human being behind that, who does not approve it; absent: not known. */
  human?: string;
}

export interface Begun {
  rollout: Rollout | null;
  message: string;
  /** The store was away: whether the edge has taken it back all the same. */
  unwritten?: { done: boolean };
  /** What was found in its new migrations; absent where none are run. */
  migrations?: Examined['reports'];
}

/**
 * Begins a rollout of new releases of a project's services. Answers once it is recorded; the loop does the rest. What
 * can be known to be in the way is refused before anything is written or built.
 */
export async function deploy(engine: Engine, input: DeployInput): Promise<Begun> {
  const { deps } = engine;
  const scope = { project: input.project.name, environment: input.project.environment.name };
  const project = onCloudRun(input.project);
  const chosen = chooseServices(project, input.services);
  await refuseForeignRoot(deps, project);
  await refuseMove(deps, project);
  const serving = await deps.store.deployments(scope.project, scope.environment);
  const changed = input.onlyChanged ? await changedServices(deps, project, chosen, serving) : chosen;
  // Who names services means those alone; the whole file also says what is not there any more.
  const removes = input.services === null ? await removedServices(deps, project, serving) : [];
  const move = await portMove(deps, project, serving);
  refuseWiderAddress(move, project.environment.name);
  const moves = move !== null;
  const touched = [...changed.map((each) => each.name), ...removes.map((each) => each.service)];
  if (!input.replace) await refuseWhileUnderWay(deps, scope, touched, moves);
  await refuseTakenRoutes(deps, project, { changed, removes, serving });
  await deps.builder.examine(project.root, changed, scope.environment);
  const examined = await examineMigrations(deps, project, changed, serving, input.allowBreakingMigrations);
  refuseBreaking(examined);

  const { before, kept } = await inTurn(engine, scope, async () => {
    const before = await deps.store.environment(scope.project, scope.environment);
    const kept = await keepEntry(deps, project, before);
    // The port of what serves is moved by the rollout, when it is promoted.
    const keepListen = before?.wanted === 'up' && serving.some((each) => each.current !== null);
    const record = { ...scope, config: kept, wanted: 'up' as const, updatedAt: deps.clock.now() };
    await deps.store.saveEnvironment(record, { keepListen });
    return { before, kept };
  });
  if (touched.length === 0 && !moves) {
    engine.wake(scope);
    const retold = [
      ...(tlsChanged(before, project) ? ['TLS'] : []),
      ...(entryChanged(before, kept) ? ['what the edge lets in'] : []),
      ...(objectivesChanged(before, kept) ? ['the objectives'] : []),
    ];
    if (before?.wanted !== 'down' && retold.length === 0)
      return { rollout: null, message: 'nothing changed since the last rollout' };
    if (before?.wanted === 'down') await untilServing(engine, scope);
    await untilTlsServed(engine, project);
    await untilEntryHolds(engine, scope);
    if (before?.wanted !== 'down')
      return { rollout: null, message: `nothing changed but ${retold.join(' and ')}, which is as the file says` };
    return { rollout: null, message: 'nothing changed; started again' };
  }
  await ensurePorts(deps, scope, chosen);
  const source = await deps.builder.sourceInfo(project.root, input.label);
  const releases = await newReleases(deps, scope, changed, source, input.by);
  const policies = await policiesOf(deps, project, removes);
  const approvals = await approvalsFor(deps, scope, project.environment.approve.people);
  const make = async (now: Deployment[]): Promise<Rollout> => {
    const secrets = await newValues(deps, releases, now);
    const opens = await portMove(deps, project, now);
    return beginRollout({
      id: deps.newId(),
      ...scope,
      kind: 'deploy',
      changes: await changesTo(deps, releases, now),
      removes,
      opens,
      policies,
      approvalsNeeded: approvals.needed,
      approvalRule: approvals.rule,
      keepFailed: input.keepFailed,
      allowsBreaking: input.allowBreakingMigrations ?? false,
      by: input.by,
      human: input.human ?? null,
      reason: `${reasonOf({ releases: releases.map((each) => each.id), removes, opens, by: input.by, secrets })}${aside(examined)}${approvals.aside}`,
      now: deps.clock.now(),
    });
  };
  const migrations = examined.reports;
  const detail = migrations.some((each) => each.findings.length > 0) ? { migrations } : {};
  const rollout = await createOrReplace(engine, make, { ...scope, replace: input.replace, by: input.by, detail });
  return { rollout, message: rollout.reason, migrations };
}

/** Where the public port is and where the file wants it; null when it stays, or when nothing serves that it could leave. */
async function portMove(
  deps: Pick<EngineDeps, 'store'>,
  project: Project,
  serving: Deployment[],
): Promise<Rollout['opens']> {
  if (isAway(project)) return null;
  const { port, bind } = project.environment;
  const record = await deps.store.environment(project.name, project.environment.name);
  // What was brought down has no visitors who would be left behind: it comes up where the file says.
  if (record?.wanted !== 'up' || serving.every((each) => each.current === null)) return null;
  const from: Listen = { port: record.config.environment.port, bind: record.config.environment.bind };
  return from.port === port && from.bind === bind ? null : { from, to: { port, bind } };
}

/** What a rollout that brings no release is patient and careful by. */
async function policiesOf(
  deps: Pick<EngineDeps, 'store'>,
  project: Project,
  removes: RemovedService[],
): Promise<RolloutPolicy[]> {
  const removed = await Promise.all(removes.map((each) => deps.store.release(project.name, each.release)));
  return [...project.services, ...removed.flatMap((each) => each?.config ?? [])].map((each) => each.rollout);
}

function reasonOf(what: {
  releases: string[];
  removes: RemovedService[];
  opens: Rollout['opens'];
  by: string;
  secrets: string[];
}): string {
  const { releases, removes, opens, by, secrets } = what;
  const gone = removes.map((each) => each.service).join(', ');
  const verb = removes.length === 1 ? 'is' : 'are';
  const parts = [
    ...(releases.length === 0 ? [] : [`deploy of ${releases.join(', ')} by ${by}`]),
    ...saidNewValues(secrets),
    ...(removes.length === 0 ? [] : [`${gone} ${verb} not in evenkeel.yaml any more and will be taken down`]),
    ...(opens === null ? [] : [`the public port moves from ${at(opens.from)} to ${at(opens.to)}`]),
  ];
  return `${parts.join('; ')}${releases.length === 0 ? ` (${by})` : ''}`;
}

/** What was found is in the story's first line, and all of it in its detail. */
const aside = ({ verdict }: Examined): string => (verdict.verdict === 'clear' ? '' : `; ${verdict.reason}`);

const at = ({ port, bind }: Listen): string => `${bind}:${port}`;

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
