import { noEvidence, type StoredEvidence } from '../../../src/domain/analysis/evidence-store.ts';
import type { ArmTotals, EvidenceReport, WeightCounts } from '../../../src/domain/analysis/evidence.ts';
import type { RolloutPolicy } from '../../../src/domain/project/project.ts';
import { evidenceKey } from '../../../src/domain/rollout/desired.ts';
import type { Observed, ReleaseObservation, ServiceObserved, Work } from '../../../src/domain/rollout/observed.ts';
import type { OperatorRequest, RequestKind, Rollout, RolloutService } from '../../../src/domain/rollout/rollout.ts';

/** Rollouts and what is seen of them, for tests that say only what matters to them. Times in milliseconds. */

export const START = 1_700_000_000_000;
export const second = 1000;
export const minute = 60 * second;
export const hour = 60 * minute;

export const aPolicy = (over: Partial<RolloutPolicy> = {}): RolloutPolicy => ({
  canary: [
    { weight: 10, forMs: 10 * minute },
    { weight: 50, forMs: 5 * minute },
  ],
  analysis: { errorRate: 0.01, p95Ms: 1000, minRequests: null },
  onInconclusive: 'pause',
  rollbackWindowMs: hour,
  holdback: 0,
  drainMs: 30 * second,
  deadlines: {
    buildingMs: 20 * minute,
    startingMs: 5 * minute,
    migratingMs: 15 * minute,
    verifyingMs: 4 * minute,
    promotingMs: 2 * minute,
  },
  pauseMs: 24 * hour,
  keepReleases: 5,
  keepFailed: false,
  ...over,
});

export const aPart = (service: string, over: Partial<RolloutService> = {}): RolloutService => ({
  service,
  kind: 'http',
  from: `${service}@1`,
  to: `${service}@2`,
  after: [],
  builds: true,
  migrates: false,
  smokes: false,
  checks: false,
  contracts: false,
  limits: { errorRate: 0.01, p95Ms: 1000, minRequests: null },
  ...over,
});

export const aRollout = (over: Partial<Rollout> = {}): Rollout => ({
  id: 'r1',
  project: 'chat',
  environment: 'production',
  kind: 'deploy',
  services: [aPart('api')],
  policy: aPolicy(),
  allowsBreaking: false,
  approvalsNeeded: 0,
  approvalRule: null,
  requestedBy: 'ann',
  author: null,
  createdAt: START,
  phase: 'pending',
  end: null,
  endedAt: null,
  settled: false,
  phaseSince: START,
  step: 0,
  stepSince: START,
  phasePausedMs: 0,
  stepPausedMs: 0,
  paused: null,
  waived: [],
  attempts: {},
  verified: [],
  held: {},
  contract: {},
  removes: [],
  opens: null,
  approvals: [],
  analysis: {},
  reason: 'deploy of api@2 by ann',
  requestSeq: 0,
  promotedAt: null,
  fence: 1,
  version: 1,
  ...over,
});

export const work = (state: Work['state'], detail: string = state): Work => ({ state, detail });

export const aRelease = (over: Partial<ReleaseObservation> = {}): ReleaseObservation => ({
  wanted: 2,
  running: 2,
  healthy: 2,
  starting: false,
  failure: null,
  weight: 0,
  present: true,
  ...over,
});

export const nobody = (over: Partial<ReleaseObservation> = {}): ReleaseObservation =>
  aRelease({ running: 0, healthy: 0, weight: null, present: false, ...over });

/** A service whose former release serves and whose new one does not exist yet. */
export const aService = (rollout: Rollout, service: string, over: Partial<ServiceObserved> = {}): ServiceObserved => {
  const part = rollout.services.find((each) => each.service === service);
  return {
    build: work('absent'),
    migration: work('absent'),
    smoke: work('absent'),
    check: work('absent'),
    contract: work('absent'),
    to: nobody(),
    from: part?.from === null ? null : aRelease({ weight: 100 }),
    answered: null,
    baselineSlow: { p75Ms: 100, p95Ms: 300 },
    evidence: rollout.analysis[service]?.evidence ?? noEvidence(evidenceKey(rollout.id, service)),
    ...over,
  };
};

/** `services`: what of each service differs from the beginning of a rollout. */
export const seenOf = (
  rollout: Rollout,
  services: Record<string, Partial<ServiceObserved>> = {},
  over: Partial<Observed> = {},
): Observed => ({
  requests: [],
  edgeReachable: true,
  superseded: false,
  unswitched: [],
  refusal: null,
  schemaBusy: null,
  pastContract: null,
  services: Object.fromEntries(
    rollout.services.map(({ service }) => [service, aService(rollout, service, services[service])]),
  ),
  ...over,
});

let requests = 0;
export const ask = (kind: RequestKind, over: Partial<OperatorRequest> = {}): OperatorRequest => ({
  seq: ++requests,
  rollout: 'r1',
  kind,
  by: 'ben',
  human: null,
  at: START,
  comment: null,
  force: false,
  ...over,
});

const arm = (requestCount: number, bad: number): ArmTotals => ({
  requests: requestCount,
  sessions: requestCount,
  bad,
  slowP75: 0,
  slowP95: 0,
  ttfb: [],
});

/** What one edge has counted: requests and bad ones of either release, every request a session of its own. */
export function counted(
  key: string,
  counts: { canary: number; baseline: number; canaryBad?: number; baselineBad?: number; weight?: number },
): StoredEvidence {
  const { canary, baseline, canaryBad = 0, baselineBad = 0, weight = 10 } = counts;
  const errors: WeightCounts[] =
    canaryBad + baselineBad === 0 ? [] : [{ weight, canary: canaryBad, baseline: baselineBad }];
  const report: EvidenceReport = {
    epoch: 'e1',
    sequence: 1,
    rollout: key,
    metrics: { errors, slowP75: [], slowP95: [] },
    arms: { canary: arm(canary, canaryBad), baseline: arm(baseline, baselineBad) },
  };
  return { rollout: key, epochs: { e1: report } };
}

/** Freezes all of it, so that whoever changes it throws. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const each of Object.values(value)) deepFreeze(each);
  }
  return value;
}
