import { innerEvidenceOf } from '../domain/analysis/evidence.ts';
import { mergeEvidence, noEvidence, type StoredEvidence } from '../domain/analysis/evidence-store.ts';
import { supervise, SUPERVISE, type Supervision } from '../domain/instance/supervise.ts';
import type { InstanceObservation } from '../domain/instance/instance.ts';
import type { Release } from '../domain/release/release.ts';
import { isPromoted } from '../domain/rollout/active.ts';
import { evidenceKey } from '../domain/rollout/desired.ts';
import type { Observed, ReleaseObservation, Work } from '../domain/rollout/observed.ts';
import { serviceKey } from '../domain/traffic/protocol.ts';
import type { HeldCounts, OperatorRequest, Rollout, RolloutService } from '../domain/rollout/rollout.ts';
import { fromCounts, quantile, total } from '../lib/histogram.ts';
import type { HealthMemory } from './health-memory.ts';
import type { Sizes } from './scaling.ts';
import { edgeServiceOf, type Snapshot } from './snapshot.ts';
import type { WorkKind } from './work-ids.ts';

/** A worker that lives this long counts as verified; it has nothing that could be asked. */
export const WORKER_STAYS_UP_MS = 3_000;

/** So many successes in a row make an instance healthy. */
const HEALTHY_AFTER = 2;

/** Fewer replies than this say nothing about a baseline's quantiles. */
const QUANTILE_REPLIES = 40;

export interface AssessInput {
  snapshot: Snapshot;
  health: HealthMemory;
  release: (id: string) => Release | null;
  work: (kind: WorkKind, service: string) => Work;
  answered: (service: string) => { release: string; at: number } | null;
  /** What came instead of an answer the last time; null: nothing is known to be in the way. */
  unanswered?: (service: string) => string | null;
  requests: OperatorRequest[];
  superseded: boolean;
  /** The environment was brought down. */
  down?: boolean;
  /** How many instances a release ought to have; what its file says when absent. */
  size?: Sizes;
  schemaBusy: string | null;
  pastContract: string | null;
  /** Why the edge refused the last change, if it did: a release that it does not take cannot be rolled out. */
  refusal: string | null;
  /** Why a release's copies cannot be started, if they cannot. */
  unstartable: (release: string) => string | null;
  /** Whether a start of one of its copies was under way before the snapshot, which may not show it yet. */
  isBeingStarted: (release: string) => boolean;
}

/** What `decide` is told about a rollout: the snapshot, read with the eyes of this rollout. Pure. */
export function assess(rollout: Rollout, seen: AssessInput): Observed {
  const input = { ...seen, refusal: seen.refusal ?? tlsRefusal(rollout, seen.snapshot) };
  return {
    requests: input.requests,
    edgeReachable: input.snapshot.edge !== null,
    superseded: input.superseded,
    schemaBusy: input.schemaBusy,
    pastContract: input.pastContract,
    unswitched: unswitched(rollout, input.snapshot),
    refusal: input.refusal,
    down: input.down ?? false,
    services: Object.fromEntries(
      rollout.services.map((each) => [
        each.service,
        {
          build: input.work('build', each.service),
          migration: input.work('migrate', each.service),
          smoke: input.work('smoke', each.service),
          check: input.work('check', each.service),
          contract: input.work('contract', each.service),
          to: observeRelease(rollout, each.service, each.to, input),
          from: each.from === null ? null : observeRelease(rollout, each.service, each.from, input),
          answered: input.answered(each.service),
          unanswered: input.unanswered?.(each.service) ?? null,
          baselineSlow: baselineQuantiles(rollout, each, input.snapshot),
          evidence: mergedEvidence(rollout, each, input.snapshot),
          inner: innerEvidence(rollout, each, input.snapshot),
          held: heldCounts(rollout, each.service, input.snapshot),
        },
      ]),
    ),
  };
}

/**
 * Why clients do not reach the environment over TLS as they ought to: no deploy may call itself a success then. A
 * rollback may, since it is there to make things better and not to wait for a certificate.
 */
function tlsRefusal(rollout: Rollout, { edge }: Snapshot): string | null {
  if (rollout.kind !== 'deploy') return null;
  const scope = `${rollout.project}/${rollout.environment}/`;
  const mine = (edge?.tls ?? []).filter(({ services }) => services.some((key) => key.startsWith(scope)));
  return mine.find(({ error }) => error !== null)?.error ?? null;
}

/** Only what the edge has applied counts: an edge that does not answer has, as far as anybody knows, applied nothing. */
function unswitched(rollout: Rollout, { edge }: Snapshot): string[] {
  const { opens } = rollout;
  const removes = rollout.removes.filter((each) => each.kind !== 'worker');
  if (edge === null) return removes.length > 0 || opens !== null ? ['the edge to answer'] : [];
  const mine = edge.services
    .map((each) => each.config)
    .filter((each) => each.project === rollout.project && each.environment === rollout.environment);
  const moved = mine.every((each) =>
    each.routes.every((route) => route.port === opens?.to.port && route.bind === opens.to.bind),
  );
  return [
    ...removes
      .filter(({ service }) => mine.some((each) => each.service === service && each.routes.length > 0))
      .map(({ service }) => `${service} to lose its traffic`),
    ...(opens === null || moved ? [] : [`port ${opens.to.port} to be opened`]),
  ];
}

function observeRelease(rollout: Rollout, service: string, id: string, input: AssessInput): ReleaseObservation {
  const release = input.release(id);
  const mine = input.snapshot.instances.filter((each) => each.release === id);
  const edge = edgeServiceOf(input.snapshot, rollout, service);
  const entry = edge?.config.releases.find((each) => each.release === id) ?? null;
  // A release in its window was taken long ago: what the edge refuses now came with another rollout.
  const asksForMore = rollout.end === null && !isPromoted(rollout);
  const refusal = input.refusal === null || !asksForMore ? null : `the edge refused it: ${input.refusal}`;
  // Behind closed routes only other services reach it.
  const closed = edge?.config.routes.length === 0 && (release?.config.routes.length ?? 0) > 0;
  const weight = entry === null ? null : closed ? 0 : entry.weight;
  if (release?.config.kind === 'static') {
    const there = entry !== null && entry.static !== null;
    return { wanted: 1, running: 1, healthy: there ? 1 : 0, starting: false, failure: refusal, weight, present: there };
  }
  // Nothing of it runs but at its times: what was built, migrated and checked is all that can be asked of it.
  if (release?.config.schedule !== undefined)
    return { wanted: 1, running: 1, healthy: 1, starting: false, failure: refusal, weight, present: false };
  const wanted = release === null ? 0 : (input.size?.(release) ?? release.config.instances);
  // What is beyond its size is on its way out, and counts for nothing.
  const running = mine.filter((each) => each.state === 'running' && each.index < wanted);
  const isHealthy = (instance: { id: string; startedAt: number }): boolean =>
    release?.config.kind === 'worker'
      ? stayedUp(instance.startedAt, input.snapshot.at)
      : (edge?.instances.find((each) => each.id === instance.id)?.healthy ?? false);
  return {
    wanted,
    running: running.length,
    healthy: running.filter(isHealthy).length,
    starting: running.some((each) => isStarting(each, release, input) || isUnheard(each, edge)),
    failure:
      (release === null ? null : superviseRelease(release, wanted, input).failure) ?? input.unstartable(id) ?? refusal,
    weight,
    present:
      mine.some((each) => each.state !== 'ended') || (entry?.instances.length ?? 0) > 0 || input.isBeingStarted(id),
  };
}

/** It has its deadline to become healthy; one that was healthy before is not starting any more, whatever it does. */
function isStarting(instance: InstanceObservation, release: Release | null, input: AssessInput): boolean {
  if (release?.config.kind !== 'http' || input.health.of(instance.id)?.everHealthy === true) return false;
  return input.snapshot.at - instance.startedAt < release.config.health.deadlineMs;
}

/**
 * Whoever asks it has just begun to, and needs another answer before calling it healthy. Where the controller asks itself
 * (Cloud Run), that is so after each of its restarts, and the former release may be the first to have answered twice.
 */
function isUnheard({ id }: InstanceObservation, edge: ReturnType<typeof edgeServiceOf>): boolean {
  const health = edge?.instances.find((each) => each.id === id);
  return health !== undefined && health.checks < HEALTHY_AFTER && health.consecutive === health.checks;
}

/** One that started in the future did so before the clock was set back. */
const stayedUp = (startedAt: number, now: number): boolean => startedAt > now || now - startedAt >= WORKER_STAYS_UP_MS;

/** What one release's copies need now. */
export function superviseRelease(
  release: Release,
  wanted: number,
  input: Pick<AssessInput, 'snapshot' | 'health'>,
): Supervision {
  return supervise(
    {
      wanted,
      observed: input.snapshot.instances.filter((each) => each.release === release.id && each.index < wanted),
      health: (id) => input.health.of(id),
      now: input.snapshot.at,
    },
    { ...SUPERVISE, unhealthyMs: release.config.health.deadlineMs },
  );
}

function baselineQuantiles(
  rollout: Rollout,
  each: RolloutService,
  snapshot: Snapshot,
): { p75Ms: number; p95Ms: number } | null {
  const key = `${rollout.project}/${rollout.environment}/${each.service}`;
  const stats = snapshot.stats?.releases.find((entry) => entry.key === key && entry.release === each.from);
  if (stats === undefined) return null;
  const histogram = fromCounts(stats.ttfb);
  if (total(histogram) < QUANTILE_REPLIES) return null;
  // The upper end of the bucket: a reply within the histogram's error of the quantile is not slow.
  const p75 = quantile(histogram, 0.75);
  const p95 = quantile(histogram, 0.95);
  return p75 === undefined || p95 === undefined ? null : { p75Ms: p75.high, p95Ms: p95.high };
}

function heldCounts(rollout: Rollout, service: string, { stats }: Snapshot): HeldCounts | undefined {
  const key = serviceKey({ project: rollout.project, environment: rollout.environment, service });
  const counted = stats?.services.find((entry) => entry.key === key);
  return stats === null || counted === undefined
    ? undefined
    : { epoch: stats.epoch, waited: counted.heldTotal, refused: counted.refused };
}

function mergedEvidence(rollout: Rollout, each: RolloutService, snapshot: Snapshot): StoredEvidence {
  const key = evidenceKey(rollout.id, each.service);
  return withReport(rollout.analysis[each.service]?.evidence ?? noEvidence(key), snapshot);
}

function innerEvidence(rollout: Rollout, each: RolloutService, snapshot: Snapshot): StoredEvidence | undefined {
  const stored = rollout.analysis[each.service]?.inner;
  const key = innerEvidenceOf(evidenceKey(rollout.id, each.service));
  const now = withReport(stored ?? noEvidence(key), snapshot);
  return Object.keys(now.epochs).length === 0 ? undefined : now;
}

function withReport(stored: StoredEvidence, snapshot: Snapshot): StoredEvidence {
  const report = snapshot.stats?.evidence.find((entry) => entry.rollout === stored.rollout);
  return report === undefined ? stored : mergeEvidence(stored, report);
}
