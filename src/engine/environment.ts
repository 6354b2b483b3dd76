import { contractUnderWay, hasBegunContract } from '../domain/rollout/contracting.ts';
import { whyPastContract } from '../domain/rollout/past-contract.ts';
import { isNewer } from '../domain/rollout/active.ts';
import { desiredListen, desiredServices } from '../domain/rollout/desired.ts';
import type { Address, Deployment, Release } from '../domain/release/release.ts';
import type { Action, Observed } from '../domain/rollout/observed.ts';
import { someGiveWay } from '../domain/rollout/giving-way.ts';
import type { Rollout } from '../domain/rollout/rollout.ts';
import { isSuperseded } from '../domain/rollout/superseded.ts';
import { stay } from '../domain/rollout/transition.ts';
import type { EnvironmentRecord } from '../ports/store.ts';
import { keepAddresses, serviceUrls } from './addresses.ts';
import { attempt } from './attempt.ts';
import { type Advanced, advance, awaitsAnswer } from './advance.ts';
import { assess } from './assess.ts';
import { releaseOf } from './beside.ts';
import { convergeInstances } from './instances.ts';
import { askThroughEdge } from './probes.ts';
import { convergeScales, type Sizes, sizesOf } from './scaling.ts';
import { convergeSchedules } from './schedules.ts';
import type { EnvironmentTools } from './tools.ts';
import { type Snapshot, takeSnapshot } from './snapshot.ts';
import { convergeTraffic } from './traffic.ts';
import type { WorkContext } from './works.ts';

/** More transitions than a rollout has phases cannot follow from one look. */
const MAX_TRANSITIONS = 12;

const BUSY_MS = 150;
const JUDGING_MS = 500;
const IDLE_MS = 1_000;
/** By then what was taken back has normally drained and stopped. */
const SETTLING_MS = 60_000;

/**
 * One look at an environment: observe, decide, persist, and only then act. Answers when to look again (wall time,
 * milliseconds). Everything it does is idempotent, so a controller that died anywhere in here simply looks again.
 */
export async function tick(
  tools: EnvironmentTools,
  scope: { project: string; environment: string },
  { trafficOnly = false }: { trafficOnly?: boolean } = {},
): Promise<number> {
  const { deps, memory } = tools;
  const record = await deps.store.environment(scope.project, scope.environment);
  if (record === null) return deps.clock.now() + IDLE_MS;
  const open = await deps.store.rollouts({ ...scope, unsettled: true });
  // One that begins to run between the two is in one of them at least.
  const starting = new Set(memory.starting);
  const snapshot = await takeSnapshot(deps, scope, { stats: open.some(needsStats) });
  const deployments = await deps.store.deployments(scope.project, scope.environment);
  const runs = await deps.store.runs({ ...scope, running: true });
  const named = [...namedReleases(open, snapshot, deployments), ...runs.flatMap(({ release }) => release ?? [])];
  await tools.releases.load(scope.project, named);
  tools.releases.keepOnly(named);
  memory.keepOnly(new Set(open.map((each) => each.id)), new Set(named));

  const scaling = { deployments, snapshot, rollouts: open, wanted: record.wanted };
  const scales = trafficOnly
    ? await deps.store.scales(scope.project, scope.environment)
    : await convergeScales(tools, scope, scaling);
  const size = sizesOf(scales);

  const known = await deps.store.addresses(scope.project, scope.environment);
  const context = workContext(tools, record, deployments, known);
  const steps: { rollout: Rollout; observed: Observed; advanced: Advanced }[] = [];
  let contested = false;
  // What changes a database at this moment, for those that come after it.
  let schemaBusy: string | null = null;
  // Oldest first: a rollout that is superseded lets go before the one that supersedes it goes on.
  for (const rollout of open.toReversed()) {
    // One that was taken back may still be ending its migration.
    const migrating = open.find(
      (each) => each.id !== rollout.id && each.phase === 'migrating' && (each.end === null || !each.policy.keepFailed),
    );
    const contracting = open.find((each) => isNewer(each, rollout) && hasBegunContract(each));
    const around = {
      open,
      wanted: record.wanted,
      size,
      schemaBusy: schemaBusy ?? busyWith(migrating, contracting),
      pastContract: whyPastContract(rollout, deployments),
      starting: new Set([...starting].map((id) => releaseOf(id, scope))),
    };
    const step = await advanceFully(tools, snapshot, context, rollout, around);
    if (step === null) contested = true;
    else {
      steps.push(step);
      schemaBusy ??= contractUnderWay(step.advanced.rollout, step.observed);
    }
  }

  // Taken back since this look began, past the store: what it read there is not how things are to be any more.
  if (!trafficOnly && deps.emergency.unwritten.of(scope).length > 0) contested = true;

  const current = applyChanges(
    deployments,
    steps.flatMap((each) => each.advanced.changes),
  );
  const rollouts = steps.map((each) => each.advanced.rollout);
  const listen = desiredListen(
    steps.findLast((each) => each.advanced.listen !== null)?.advanced.listen?.to ?? record.config.environment,
    rollouts,
  );
  const opened = { ...record.config.environment, port: listen.port, bind: listen.bind };
  if (!trafficOnly && !contested && steps.every(({ advanced }) => advanced.unpersisted !== true)) {
    const releases = named.flatMap((id) => tools.releases.get(id) ?? []);
    const config = { ...record.config, environment: opened };
    deps.emergency.lastKnown.keep({
      record: { ...record, config },
      rollouts: rollouts.toReversed(),
      deployments: current,
      addresses: known,
      releases,
      scales,
    });
  }
  if (!trafficOnly && !contested) memory.seen = { record, snapshot, deployments: current, rollouts, scales, runs };
  const desired = record.wanted === 'down' ? [] : desiredServices(current, rollouts);
  // A rollout that could not be read again must not be mistaken for one that is over.
  const given =
    contested || trafficOnly
      ? known
      : await attempt(deps, scope, 'addresses', () =>
          keepAddresses(deps, scope, {
            known,
            desired,
            instances: snapshot.instances,
            runs,
            release: tools.releases.get,
          }),
        );
  const addresses = given ?? known;
  const seen = { snapshot, size, release: tools.releases.get };
  const shared = { ...scope, ...seen, opened, desired, deployments: current, addresses, rollouts };
  const changed =
    !contested && ((await attempt(deps, scope, 'traffic', () => convergeTraffic(deps, memory, shared))) ?? false);
  if (trafficOnly) return deps.clock.now() + IDLE_MS;
  for (const each of steps)
    await attempt(deps, { ...scope, rollout: each.rollout.id }, 'work', () =>
      act(tools, { ...context, environment: opened }, each.advanced, each.observed),
    );
  const instancesWake = contested
    ? null
    : await convergeInstances(deps, memory, { ...shared, starting, serviceUrl: serviceUrls(deployments, addresses) });

  const urls = serviceUrls(deployments, addresses);
  const schedule = { ...scope, wanted: record.wanted, deployments: current, serviceUrl: urls };
  const runsWake = contested ? null : await convergeSchedules(tools, schedule, runs);

  const now = deps.clock.now();
  const wakes = [runsWake ?? Infinity, instancesWake ?? Infinity, ...steps.map((each) => wakeOf(each.advanced, now))];
  if (changed || contested) return now;
  return Math.min(now + (snapshot.edge === null ? BUSY_MS : IDLE_MS), ...wakes);
}

function busyWith(migrating: Rollout | undefined, contracting: Rollout | undefined): string | null {
  if (migrating !== undefined) return `the migration of rollout ${migrating.id}`;
  return contracting === undefined ? null : `the contract of rollout ${contracting.id}`;
}

async function advanceFully(
  tools: EnvironmentTools,
  snapshot: Snapshot,
  context: WorkContext,
  rollout: Rollout,
  around: {
    open: Rollout[];
    wanted: EnvironmentRecord['wanted'];
    size: Sizes;
    schemaBusy: string | null;
    pastContract: string | null;
    /** Releases of which an instance was being started before the snapshot. */
    starting: ReadonlySet<string>;
  },
): Promise<{ rollout: Rollout; observed: Observed; advanced: Advanced } | null> {
  const { deps, memory } = tools;
  const { open, wanted, size, schemaBusy, pastContract, starting } = around;
  let current = rollout;
  for (let transition = 0; ; transition++) {
    const observed = assess(current, {
      snapshot,
      health: memory.health,
      release: tools.releases.get,
      work: await tools.works.observe(current, context),
      answered: (service) => memory.answered.get(`${rollout.id}/${service}`) ?? null,
      unanswered: (service) => memory.unanswered.get(`${rollout.id}/${service}`) ?? null,
      requests: await deps.store.requests(current.id, current.requestSeq),
      superseded: isSuperseded(current, open, context.deployments),
      down: wanted === 'down',
      size,
      refusal: memory.refusal,
      schemaBusy,
      pastContract,
      unstartable: (release) => memory.unstartable.get(release) ?? null,
      isBeingStarted: (release) => starting.has(release),
    });
    if (wanted === 'down' && current.phase === 'watching' && current.end === null && observed.requests.length === 0) {
      // What is stopped on purpose proves nothing against it: its window is judged again once it is up.
      const decision = stay(current, 'its environment is down');
      return { rollout: current, observed, advanced: { rollout: current, decision, changes: [], listen: null } };
    }
    const advanced = await advance(deps, memory, current, observed, deps.clock.now());
    if (advanced === null) return null;
    const moved = advanced.decision.journal.length > 0;
    current = advanced.rollout;
    if (!moved || advanced.unpersisted === true || transition >= MAX_TRANSITIONS)
      return { rollout: current, observed, advanced };
    if (advanced.changes.length > 0 || advanced.listen !== null) return { rollout: current, observed, advanced };
  }
}

async function act(
  tools: EnvironmentTools,
  context: WorkContext,
  advanced: Advanced,
  observed: Observed,
): Promise<void> {
  const { rollout, decision } = advanced;
  for (const action of decision.actions) await actOn(tools, context, rollout, action);
  for (const service of awaitsAnswer(rollout, observed)) askThroughEdge(tools, rollout, service, context);
  if (rollout.settled && rollout.end !== null) await tools.works.forget(rollout);
}

async function actOn(tools: EnvironmentTools, context: WorkContext, rollout: Rollout, action: Action): Promise<void> {
  switch (action.kind) {
    case 'build':
    case 'migrate':
    case 'smoke':
    case 'check':
    case 'contract':
      return tools.works.begin(action.kind, rollout, action.service, context);
    case 'cancel-work':
      return tools.works.cancel(rollout, action.service, action.migrations);
  }
}

function workContext(
  tools: EnvironmentTools,
  record: EnvironmentRecord,
  deployments: Deployment[],
  addresses: Address[],
): WorkContext {
  return {
    root: record.config.root,
    environment: record.config.environment,
    deployments,
    release: (rollout, service): Release => {
      const part = rollout.services.find((each) => each.service === service);
      const release = tools.releases.get(part?.to ?? '');
      if (release === null) throw new Error(`the release that ${rollout.id} moves ${service} to is not in the store`);
      return release;
    },
    serviceUrl: serviceUrls(deployments, addresses),
  };
}

/** Deployments as the transitions of this look have just written them. */
function applyChanges(deployments: Deployment[], changes: Advanced['changes']): Deployment[] {
  return deployments.map((deployment) => {
    const change = changes.findLast((each) => each.service === deployment.service);
    return change === undefined ? deployment : { ...deployment, ...change };
  });
}

const needsStats = (rollout: Rollout): boolean =>
  rollout.end === null &&
  (['verifying', 'canary', 'promoting', 'watching'].includes(rollout.phase) || someGiveWay(rollout));

function namedReleases(open: Rollout[], snapshot: Snapshot, deployments: Deployment[]): string[] {
  const inRollouts = open.flatMap((rollout) => [
    ...rollout.services.flatMap((each) => (each.from === null ? [each.to] : [each.to, each.from])),
    ...rollout.removes.map((each) => each.release),
  ]);
  const serving = deployments.flatMap((each) => [each.current, each.former]).filter((id) => id !== null);
  return [...inRollouts, ...serving, ...snapshot.instances.map((each) => each.release)];
}

function wakeOf(advanced: Advanced, now: number): number {
  const { rollout, decision } = advanced;
  if (rollout.settled) return Infinity;
  return Math.min(decision.wakeAt ?? Infinity, now + pollMs(rollout, now));
}

/** How often to look at it when nothing wakes the loop. */
function pollMs(rollout: Rollout, now: number): number {
  // One that is kept for a look stays unsettled for as long as it is wanted.
  if (rollout.endedAt !== null) return now - rollout.endedAt < SETTLING_MS ? BUSY_MS : IDLE_MS;
  if (rollout.phase === 'canary') return JUDGING_MS;
  return rollout.phase === 'watching' || rollout.paused !== null ? IDLE_MS : BUSY_MS;
}
