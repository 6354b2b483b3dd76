import type { RolloutPolicy, ServiceConfig } from '../project/project.ts';
import { mustGiveWay } from './giving-way.ts';
import type { RemovedService, Rollout, RolloutService } from './rollout.ts';

/** One service of a rollout that is about to begin. */
export interface Change {
  config: ServiceConfig;
  /** The release that serves now, or null. */
  from: string | null;
  to: string;
  /** The artifact is there already: nothing is built, migrated or smoke-tested. */
  old: boolean;
  /** The artifact is there, and new here: nothing is built, and all the rest is done. */
  isBuilt?: boolean;
  /** It or what serves now cannot run beside another copy. */
  alone?: boolean;
  /** Whether its contract is still due; by default that of what is new. */
  contracts?: boolean;
}

/**
 * A new rollout in `pending`; services in dependency order. One without changes takes down what the file no longer has,
 * or moves the public port, and touches nothing else; `policies` speak for it. Pure: id and time are arguments.
 */
export function beginRollout(input: {
  id: string;
  project: string;
  environment: string;
  kind: Rollout['kind'];
  changes: Change[];
  /** What serves of services that the file no longer has. */
  removes?: RemovedService[];
  opens?: Rollout['opens'];
  /** Of a rollout without changes; not looked at otherwise. */
  policies?: RolloutPolicy[];
  approvalsNeeded: number;
  approvalRule?: number;
  keepFailed: boolean | null;
  allowsBreaking?: boolean;
  by: string;
  human?: string | null;
  reason: string;
  now: number;
}): Rollout {
  const names = new Set(input.changes.map((each) => each.config.name));
  const bringsNothing = input.changes.length === 0;
  const policy = unitPolicy(bringsNothing ? (input.policies ?? []) : input.changes.map((each) => each.config.rollout));
  const urgent = !bringsNothing && input.changes.every((each) => each.old);
  const services = lastOfAll(input.changes.map((each) => rolloutService(each, names)));
  const alone = services.filter(mustGiveWay).map((each) => each.service);
  return {
    id: input.id,
    project: input.project,
    environment: input.environment,
    kind: input.kind,
    services,
    removes: input.removes ?? [],
    opens: input.opens ?? null,
    policy: {
      ...policy,
      // The way back and a restart bring nothing new that would have to be judged beside the old.
      // A session sees one version of all of them, and of what cannot run twice there is only one at a time.
      canary: urgent || bringsNothing || alone.length > 0 ? [] : policy.canary,
      holdback: alone.length > 0 ? 0 : policy.holdback,
      keepFailed: input.keepFailed ?? policy.keepFailed,
    },
    allowsBreaking: input.allowsBreaking ?? false,
    approvalsNeeded: urgent ? 0 : input.approvalsNeeded,
    approvalRule: input.approvalRule ?? null,
    requestedBy: input.by,
    author: input.human ?? null,
    createdAt: input.now,
    phase: 'pending',
    end: null,
    endedAt: null,
    settled: false,
    phaseSince: input.now,
    step: 0,
    stepSince: input.now,
    phasePausedMs: 0,
    stepPausedMs: 0,
    paused: null,
    waived: [],
    attempts: {},
    verified: [],
    held: {},
    contract: {},
    approvals: [],
    analysis: {},
    reason: urgent || policy.canary.length === 0 ? input.reason : `${input.reason}${noCanary(alone)}`,
    requestSeq: 0,
    promotedAt: null,
    fence: 0,
    version: 0,
  };
}

const noCanary = (alone: string[]): string =>
  alone.length === 0 ? '' : `; without a canary, since ${alone.join(', ')} cannot run twice`;

/**
 * What cannot run twice gives way last, once everything that does not need it is verified: nobody answers for it from
 * then until all of them take over. The order stays one of dependency.
 */
function lastOfAll(services: RolloutService[]): RolloutService[] {
  const leans = (each: RolloutService): boolean =>
    mustGiveWay(each) || each.after.some((name) => services.some((other) => other.service === name && leans(other)));
  const free = services.filter((each) => !leans(each));
  const rest = services.filter(leans);
  const names = free.map((each) => each.service);
  return [
    ...free,
    ...rest.map((each) => (mustGiveWay(each) ? { ...each, after: [...new Set([...each.after, ...names])] } : each)),
  ];
}

function rolloutService(change: Change, inUnit: Set<string>): RolloutService {
  const { config, from, to, old, isBuilt = false, contracts = !old } = change;
  return {
    service: config.name,
    kind: config.kind,
    from,
    to,
    after: config.after.filter((name) => inUnit.has(name)),
    builds: !old && !isBuilt,
    migrates: !old && config.migrate !== null,
    smokes: !old && config.smoke.length > 0,
    checks: !old && config.check !== null,
    ...(change.alone === true ? { alone: true as const } : {}),
    ...(config.cloud === undefined ? {} : { away: true as const }),
    contracts: contracts && config.contract !== undefined,
    limits: config.rollout.analysis,
  };
}

/**
 * One policy for several services that roll out as a unit: the longest canary, the longest window, the most patient
 * deadlines, and the most careful answer to missing data.
 */
export function unitPolicy(policies: RolloutPolicy[]): RolloutPolicy {
  const [first, ...others] = policies;
  if (first === undefined) throw new Error('a rollout has at least one policy');
  const careful = ['pause', 'abort', 'promote'] as const;
  return others.reduce<RolloutPolicy>(
    (unit, each) => ({
      ...unit,
      canary: length(each) > length(unit) ? each.canary : unit.canary,
      rollbackWindowMs: Math.max(unit.rollbackWindowMs, each.rollbackWindowMs),
      holdback: Math.max(unit.holdback, each.holdback),
      drainMs: Math.max(unit.drainMs, each.drainMs),
      pauseMs: Math.max(unit.pauseMs, each.pauseMs),
      keepFailed: unit.keepFailed || each.keepFailed,
      onInconclusive:
        careful.find((answer) => unit.onInconclusive === answer || each.onInconclusive === answer) ?? 'pause',
      deadlines: {
        buildingMs: Math.max(unit.deadlines.buildingMs, each.deadlines.buildingMs),
        startingMs: Math.max(unit.deadlines.startingMs, each.deadlines.startingMs),
        migratingMs: Math.max(unit.deadlines.migratingMs, each.deadlines.migratingMs),
        verifyingMs: Math.max(unit.deadlines.verifyingMs, each.deadlines.verifyingMs),
        promotingMs: Math.max(unit.deadlines.promotingMs, each.deadlines.promotingMs),
      },
    }),
    first,
  );
}

const length = (policy: RolloutPolicy): number => policy.canary.reduce((sum, step) => sum + step.forMs, 0);
