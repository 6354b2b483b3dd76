import type { EvidenceReport, WeightCounts } from '../../../src/domain/analysis/evidence.ts';
import { mergeEvidence, noEvidence } from '../../../src/domain/analysis/evidence-store.ts';
import type { Deployment } from '../../../src/domain/release/release.ts';
import { type DesiredService, desiredServices, evidenceKey } from '../../../src/domain/rollout/desired.ts';
import type { Action, Observed, ReleaseObservation, Work } from '../../../src/domain/rollout/observed.ts';
import type { JournalEntry, OperatorRequest, Rollout, RolloutService } from '../../../src/domain/rollout/rollout.ts';

/**
 * A machine, an edge and a store, as data: what an engine would see, and what obeys `desired` sooner or later. It
 * throws where a real one would be asked for something that must never happen, such as a job begun twice.
 */

interface Release {
  running: number;
  sick: boolean;
  failure: string | null;
}

interface Counts {
  canary: number;
  canaryBad: number;
  baseline: number;
  baselineBad: number;
  byWeight: Record<string, { canary: number; baseline: number }>;
}

export interface World {
  now: number;
  rollout: Rollout;
  deployments: Deployment[];
  requests: OperatorRequest[];
  journal: Omit<JournalEntry, 'seq' | 'rollout' | 'fence'>[];
  superseded: boolean;
  /** Another rollout changes a database. */
  busy: boolean;
  edgeUp: boolean;
  /** Weights that the edge has applied. */
  edge: Record<string, Record<string, number>>;
  releases: Record<string, Release>;
  /** By `kind.service.attempt`. */
  jobs: Record<string, Work>;
  answered: Record<string, { release: string; at: number }>;
  counts: Record<string, Counts>;
  reports: number;
}

export const WANTED = 2;

export function newWorld(rollout: Rollout): World {
  const deployments = rollout.services.map((each): Deployment => ({
    project: rollout.project,
    environment: rollout.environment,
    service: each.service,
    current: each.from,
    former: null,
    contracted: null,
    internalPort: null,
    previewPort: null,
  }));
  const world: World = {
    now: rollout.createdAt,
    rollout,
    deployments,
    requests: [],
    journal: [{ at: rollout.createdAt, from: null, to: 'pending', reason: rollout.reason, detail: {} }],
    superseded: false,
    busy: false,
    edgeUp: true,
    edge: {},
    releases: {},
    jobs: {},
    answered: {},
    counts: {},
    reports: 0,
  };
  for (const each of rollout.services) if (each.from !== null) release(world, each.from).running = WANTED;
  applyToEdge(world);
  return world;
}

const release = (world: World, id: string): Release =>
  (world.releases[id] ??= { running: 0, sick: false, failure: null });

export const desiredOf = (world: World): DesiredService[] => desiredServices(world.deployments, [world.rollout]);

export function observe(world: World): Observed {
  return {
    requests: world.requests.filter((each) => each.seq > world.rollout.requestSeq),
    edgeReachable: world.edgeUp,
    superseded: world.superseded,
    unswitched: [],
    refusal: null,
    schemaBusy: world.busy ? 'somebody else' : null,
    pastContract: null,
    services: Object.fromEntries(
      world.rollout.services.map((each) => [
        each.service,
        {
          build: job(world, 'build', each),
          migration: job(world, 'migrate', each),
          smoke: job(world, 'smoke', each),
          check: job(world, 'check', each),
          contract: job(world, 'contract', each),
          to: observeRelease(world, each, each.to),
          from: each.from === null ? null : observeRelease(world, each, each.from),
          answered: world.answered[each.service] ?? null,
          baselineSlow: null,
          evidence: evidenceOf(world, each),
        },
      ]),
    ),
  };
}

const jobId = (rollout: Rollout, kind: string, service: string): string =>
  `${kind}.${service}.${rollout.attempts[`${kind}.${service}`] ?? 1}`;

const job = (world: World, kind: string, each: RolloutService): Work =>
  world.jobs[jobId(world.rollout, kind, each.service)] ?? { state: 'absent', detail: '' };

function observeRelease(world: World, each: RolloutService, id: string): ReleaseObservation {
  const { running, sick, failure } = release(world, id);
  const weight = world.edgeUp ? (world.edge[each.service]?.[id] ?? null) : null;
  // What the edge says of health is not to be had while it is away.
  const told = each.kind === 'worker' || world.edgeUp;
  return {
    wanted: WANTED,
    running,
    healthy: told && !sick ? running : 0,
    starting: false,
    failure,
    weight,
    present: running > 0,
  };
}

function evidenceOf(world: World, each: RolloutService) {
  const key = evidenceKey(world.rollout.id, each.service);
  const stored = world.rollout.analysis[each.service]?.evidence ?? noEvidence(key);
  const counts = world.counts[each.service];
  if (!world.edgeUp || counts === undefined) return stored;
  const arm = (requests: number, bad: number) => ({
    requests,
    sessions: requests,
    bad,
    slowP75: 0,
    slowP95: 0,
    ttfb: [],
  });
  const errors = Object.entries(counts.byWeight).map(([weight, bad]): WeightCounts => ({
    weight: Number(weight),
    ...bad,
  }));
  const report: EvidenceReport = {
    epoch: 'e1',
    sequence: world.reports,
    rollout: key,
    metrics: { errors, slowP75: [], slowP95: [] },
    arms: { canary: arm(counts.canary, counts.canaryBad), baseline: arm(counts.baseline, counts.baselineBad) },
  };
  return mergeEvidence(stored, report);
}

/** Requests, spread by the weights that the edge has; counted only while a split is in force. */
export function traffic(world: World, requests: number, badShare: { canary: number; baseline: number }): void {
  if (!world.edgeUp) return;
  world.reports++;
  for (const service of desiredOf(world)) {
    if (service.split === null) continue;
    const weight = world.edge[service.service]?.[service.split.canary] ?? 0;
    const counts = (world.counts[service.service] ??= {
      canary: 0,
      canaryBad: 0,
      baseline: 0,
      baselineBad: 0,
      byWeight: {},
    });
    const canary = Math.round((requests * weight) / 100);
    const baseline = requests - canary;
    const bad = (counts.byWeight[String(weight)] ??= { canary: 0, baseline: 0 });
    const canaryBad = Math.round(canary * badShare.canary);
    const baselineBad = Math.round(baseline * badShare.baseline);
    counts.canary += canary;
    counts.canaryBad += canaryBad;
    counts.baseline += baseline;
    counts.baselineBad += baselineBad;
    bad.canary += canaryBad;
    bad.baseline += baselineBad;
  }
}

export function applyToEdge(world: World): void {
  if (!world.edgeUp) return;
  world.edge = Object.fromEntries(
    desiredOf(world).map((each) => [
      each.service,
      Object.fromEntries(each.releases.map(({ release: id, weight }) => [id, weight])),
    ]),
  );
}

export function convergeInstances(world: World): void {
  const wanted = new Set(
    desiredOf(world).flatMap((each) => each.releases.filter(({ run }) => run).map(({ release: id }) => id)),
  );
  const before = new Set(Object.keys(world.releases).filter((id) => release(world, id).running > 0));
  for (const id of new Set([...wanted, ...Object.keys(world.releases)])) {
    // What cannot run twice starts once it was seen that nothing of it runs.
    const part = world.rollout.services.find((each) => each.alone === true && [each.to, each.from].includes(id));
    const beside = part !== undefined && [part.to, part.from].some((other) => other !== id && before.has(other ?? ''));
    if (wanted.has(id) && beside && !before.has(id)) continue;
    release(world, id).running = wanted.has(id) ? WANTED : 0;
  }
}

/** A request goes through the edge, to whomever has most of the sessions. */
export function askThroughEdge(world: World): void {
  if (!world.edgeUp) return;
  for (const [service, weights] of Object.entries(world.edge)) {
    const [most] = Object.entries(weights).toSorted(([, a], [, b]) => b - a);
    if (most !== undefined && most[1] > 0) world.answered[service] = { release: most[0], at: world.now };
  }
}

export function endJobs(world: World, state: 'done' | 'failed' | 'unknown'): void {
  for (const [id, each] of Object.entries(world.jobs))
    if (each.state === 'running') world.jobs[id] = { state, detail: state };
}

export const runningJobs = (world: World, kind: string): string[] =>
  Object.entries(world.jobs)
    .filter(([id, each]) => id.startsWith(`${kind}.`) && each.state === 'running')
    .map(([id]) => id);

/** Does what a decision asks for. */
export function perform(world: World, action: Action): void {
  if (action.kind === 'cancel-work') {
    for (const id of Object.keys(world.jobs))
      if (id.includes(`.${action.service}.`) && world.jobs[id]?.state === 'running')
        world.jobs[id] = { state: 'failed', detail: 'it was cancelled' };
    return;
  }
  const id = jobId(world.rollout, action.kind, action.service);
  const known = world.jobs[id]?.state ?? 'absent';
  if (action.kind === 'build') {
    if (known === 'running' || known === 'done') throw new Error(`${id} is begun although it is ${known}`);
  } else {
    if (known !== 'absent') throw new Error(`${id} is begun twice: it is ${known}`);
    if (action.attempt !== (world.rollout.attempts[`${action.kind}.${action.service}`] ?? 1))
      throw new Error(`${id} is begun as attempt ${action.attempt}`);
    const others = [...runningJobs(world, 'migrate'), ...runningJobs(world, 'contract')];
    if (others.length > 0) throw new Error(`${id} is begun while ${others.join(', ')} runs`);
  }
  if (action.kind === 'contract') {
    const former = world.rollout.services.find((each) => each.service === action.service)?.from ?? null;
    if (former !== null && release(world, former).running > 0) throw new Error(`${id} is begun while ${former} runs`);
  }
  world.jobs[id] = { state: 'running', detail: '' };
}
