import { deadlineOf } from '../../domain/rollout/clocks.ts';
import type { JournalEntry, Rollout, RolloutService } from '../../domain/rollout/rollout.ts';
import { sharedOut } from '../../domain/rollout/where.ts';
import type { JournalView, RolloutView } from '../contract/rollouts.ts';
import type { VerdictView } from '../contract/verdict.ts';
import type { Interval } from '../../domain/analysis/interval.ts';
import type { Verdict } from '../../domain/analysis/verdict.ts';

/** What of a rollout is seen live, from outside its record. */
export interface RolloutLive {
  /** By service: instances of the new release. Absent: could not be asked. */
  observed: Record<string, { wanted: number; running: number; healthy: number }>;
  /** It is over, and only what is kept for a look of it still runs. */
  keptWithoutTraffic: boolean;
  /** Of a release. */
  label: (release: string) => string | null;
}

/** A rollout as clients see it. Nothing of a configuration's values is in it. */
export function rolloutView(rollout: Rollout, live: RolloutLive): RolloutView {
  const { steps, weight } = canaryOf(rollout);
  return {
    id: rollout.id,
    project: rollout.project,
    environment: rollout.environment,
    kind: rollout.kind,
    phase: rollout.phase,
    end: rollout.end,
    // One that is kept stays open until the next rollout; nobody has to wait for that.
    settled: rollout.settled || live.keptWithoutTraffic,
    reason: rollout.reason,
    paused: rollout.paused,
    requestedBy: rollout.requestedBy,
    createdAt: rollout.createdAt,
    phaseSince: rollout.phaseSince,
    promotedAt: rollout.promotedAt,
    endedAt: rollout.endedAt,
    approvals: {
      needed: rollout.approvalsNeeded,
      given: rollout.approvals.map(({ by, at, comment }) => ({ by, at, comment })),
    },
    canary: {
      steps,
      step: rollout.step,
      stepSince: rollout.stepSince + rollout.stepPausedMs,
      weight,
      of: sharedOut(rollout),
    },
    rollbackWindowMs: rollout.policy.rollbackWindowMs,
    removes: rollout.removes.map(({ service, release }) => ({ service, release })),
    opens: rollout.opens === null ? null : { bind: rollout.opens.to.bind, port: rollout.opens.to.port },
    nextAt: nextAt(rollout),
    services: rollout.services.map((each) => ({
      service: each.service,
      kind: each.kind,
      from: each.from,
      to: each.to,
      label: live.label(each.to),
      ...(each.alone === true ? { alone: true } : {}),
      contract: contractOf(rollout, each),
      verdict: verdictView(rollout.analysis[each.service]?.verdict ?? null),
      observed: live.observed[each.service] ?? null,
    })),
  };
}

function contractOf({ contract, end }: Rollout, each: RolloutService): RolloutView['services'][number]['contract'] {
  if (!each.contracts) return null;
  return contract[each.service] ?? (end === null ? 'due' : 'not-run');
}

function canaryOf(rollout: Rollout): { steps: { weight: number; forMs: number }[]; weight: number } {
  const steps = rollout.policy.canary;
  if (rollout.end === 'complete') return { steps, weight: 100 };
  if (rollout.end !== null) return { steps, weight: 0 };
  if (rollout.phase === 'contracting') return { steps, weight: 100 };
  if (rollout.phase === 'promoting' || rollout.phase === 'watching')
    return { steps, weight: 100 - rollout.policy.holdback };
  if (rollout.phase !== 'canary') return { steps, weight: 0 };
  return { steps, weight: steps[Math.min(rollout.step, steps.length - 1)]?.weight ?? 0 };
}

function nextAt(rollout: Rollout): number | null {
  if (rollout.end !== null) return null;
  if (rollout.paused !== null) return rollout.paused.since + rollout.policy.pauseMs;
  if (rollout.phase === 'watching') return rollout.phaseSince + rollout.policy.rollbackWindowMs;
  if (rollout.phase === 'canary') {
    const step = rollout.policy.canary[rollout.step];
    return step === undefined ? null : rollout.stepSince + rollout.stepPausedMs + step.forMs;
  }
  const deadline = deadlineOf(rollout);
  return deadline === null ? null : rollout.phaseSince + rollout.phasePausedMs + deadline;
}

export function verdictView(verdict: Verdict | null): VerdictView | null {
  if (verdict === null) return null;
  return {
    verdict: verdict.verdict,
    reason: verdict.reason,
    test: verdict.test,
    metrics: verdict.metrics.map(({ metric, unit, canary, baseline, limit, progress, state, ...ranges }) => ({
      metric,
      unit,
      canary,
      baseline,
      canaryRange: range(ranges.canaryRange),
      baselineRange: range(ranges.baselineRange),
      limit,
      progress,
      state,
    })),
    canaryRequests: verdict.canaryRequests,
    baselineRequests: verdict.baselineRequests,
    neededRequests: verdict.neededRequests,
    detectable: verdict.detectable,
  };
}

/** Absent in what was judged before it was told. */
const range = (known: Interval | null | undefined): { low: number; high: number } | null =>
  known === null || known === undefined ? null : { low: known[0], high: known[1] };

export function journalView(entry: JournalEntry): JournalView {
  const { seq, at, from, to, reason, detail } = entry;
  return { seq, at, from, to, reason, detail };
}
