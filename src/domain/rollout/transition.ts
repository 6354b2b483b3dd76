import type { NewJournalLine } from './decide.ts';
import type { Action } from './observed.ts';
import type { End, Pause, PauseReason, Phase, Rollout } from './rollout.ts';

/** What `decide` answers: the rollout as it is to be, why, what is to be done besides, and when to look again. */
export interface Decision {
  next: Rollout;
  /** One line for each transition; empty when nothing changed that a reader of the story would want to know. */
  journal: NewJournalLine[];
  actions: Action[];
  /** Why, in one sentence, also when the answer is to wait. */
  reason: string;
  /** Wall time at which time alone could change the answer; null when only an observation can. */
  wakeAt: number | null;
}

export function stay(rollout: Rollout, reason: string, wakeAt: number | null = null, actions: Action[] = []): Decision {
  return { next: rollout, journal: [], actions, reason, wakeAt };
}

export function enter(
  rollout: Rollout,
  phase: Phase,
  now: number,
  reason: string,
  detail: Record<string, unknown> = {},
): Decision {
  const next: Rollout = {
    ...rollout,
    phase,
    phaseSince: now,
    phasePausedMs: 0,
    step: 0,
    stepSince: now,
    stepPausedMs: 0,
    paused: null,
    reason,
    ...(phase === 'watching' ? { promotedAt: now } : {}),
    ...(phase === 'complete' ? { end: 'complete' as const, endedAt: now } : {}),
  };
  return { next, journal: [{ at: now, from: rollout.phase, to: phase, reason, detail }], actions: [], reason, wakeAt: now };
}

/** Ends the rollout short of `complete`. What it started is taken back by what `desired` says of an ended rollout. */
export function finish(
  rollout: Rollout,
  end: Exclude<End, 'complete'>,
  now: number,
  reason: string,
  detail: Record<string, unknown> = {},
): Decision {
  const next: Rollout = { ...rollout, end, endedAt: now, settled: false, paused: null, reason };
  return {
    next,
    journal: [{ at: now, from: rollout.phase, to: end, reason, detail }],
    actions: [],
    reason,
    wakeAt: now,
  };
}

export function nextStep(rollout: Rollout, now: number, reason: string, detail: Record<string, unknown>): Decision {
  const next: Rollout = {
    ...rollout,
    step: rollout.step + 1,
    stepSince: now,
    stepPausedMs: 0,
    paused: null,
    reason,
  };
  return { next, journal: [{ at: now, from: 'canary', to: 'canary', reason, detail }], actions: [], reason, wakeAt: now };
}

export function pause(rollout: Rollout, why: PauseReason, now: number, detail: string): Decision {
  const paused: Pause = { reason: why, since: now, detail };
  const next: Rollout = { ...rollout, paused, reason: detail };
  return {
    next,
    journal: [{ at: now, from: rollout.phase, to: rollout.phase, reason: detail, detail: { paused: why } }],
    actions: [],
    reason: detail,
    wakeAt: now + rollout.policy.pauseMs,
  };
}

/** Ends a pause; the clocks of phase and step do not count the time it took. */
export function unpause(rollout: Rollout, now: number): Rollout {
  if (rollout.paused === null) return rollout;
  const paused = Math.max(0, now - rollout.paused.since);
  return {
    ...rollout,
    paused: null,
    phasePausedMs: rollout.phasePausedMs + paused,
    stepPausedMs: rollout.stepPausedMs + paused,
  };
}

/** Time in the phase so far, in milliseconds, without pauses; never negative, even when the clock was set back. */
export function phaseElapsed(rollout: Rollout, now: number): number {
  const current = rollout.paused === null ? 0 : Math.max(0, now - rollout.paused.since);
  return Math.max(0, now - rollout.phaseSince - rollout.phasePausedMs - current);
}

export function stepElapsed(rollout: Rollout, now: number): number {
  const current = rollout.paused === null ? 0 : Math.max(0, now - rollout.paused.since);
  return Math.max(0, now - rollout.stepSince - rollout.stepPausedMs - current);
}
