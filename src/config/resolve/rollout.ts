import type { RolloutPolicy } from '../../domain/project/project.ts';
import { defaultRollout } from '../defaults.ts';
import type { WrittenService } from '../schema/service.ts';

const START_MARGIN_MS = 60_000;
const SHORT_DRAIN_MS = 3_000;

/** The policy of one service in one environment: what is written laid over the defaults of the environment. */
export function resolveRollout(written: WrittenService, environment: string, healthDeadlineMs: number): RolloutPolicy {
  const base = written.overlap === false ? withoutOverlap(defaultRollout(environment)) : defaultRollout(environment);
  const given = written.rollout ?? {};
  const deadlines = given.deadlines ?? {};
  return {
    canary:
      written.overlap === false
        ? []
        : (given.canary?.map((step) => ({ weight: step.weight, forMs: step.for })) ?? base.canary),
    analysis: {
      errorRate: given.analysis?.errorRate === undefined ? base.analysis.errorRate : given.analysis.errorRate,
      p95Ms: given.analysis?.p95 === undefined ? base.analysis.p95Ms : given.analysis.p95,
      minRequests: given.analysis?.minRequests ?? base.analysis.minRequests,
    },
    onInconclusive: given.onInconclusive ?? base.onInconclusive,
    rollbackWindowMs: given.rollbackWindow ?? base.rollbackWindowMs,
    holdback: written.overlap === false ? 0 : (given.holdback ?? base.holdback),
    drainMs: given.drain ?? base.drainMs,
    deadlines: {
      buildingMs: deadlines.build ?? base.deadlines.buildingMs,
      // A slow starter that was given its time must not be cut off by a default of the phase around it.
      startingMs: deadlines.start ?? Math.max(base.deadlines.startingMs, healthDeadlineMs + START_MARGIN_MS),
      migratingMs: deadlines.migrate ?? base.deadlines.migratingMs,
      verifyingMs: deadlines.verify ?? base.deadlines.verifyingMs,
      promotingMs: deadlines.promote ?? base.deadlines.promotingMs,
    },
    pauseMs: given.pause ?? base.pauseMs,
    keepReleases: given.keepReleases ?? base.keepReleases,
    keepFailed: given.keepFailed ?? written.keepFailed ?? base.keepFailed,
  };
}

/** Nobody answers from the beginning of its drain on, so what cannot run twice is not given long for it. */
const withoutOverlap = (policy: RolloutPolicy): RolloutPolicy => ({ ...policy, canary: [], drainMs: SHORT_DRAIN_MS });
