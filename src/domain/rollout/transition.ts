import { isPromoted } from './active.ts';
import { deadlineAt } from './clocks.ts';
import type { Action } from './observed.ts';
import type { End, JournalEntry, Pause, PauseReason, Phase, Rollout } from './rollout.ts';

export type NewJournalLine = Omit<JournalEntry, 'seq' | 'rollout' | 'fence'>;

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

/** Stays, at the longest until the deadline of the phase, or of the pause, is passed. */
export function wait(rollout: Rollout, now: number, reason: string, actions: Action[] = []): Decision {
  return stay(rollout, reason, deadlineAt(rollout, now), actions);
}

/** Stays because of the pause that it is in. */
export function hold(rollout: Rollout, now: number): Decision {
  return wait(rollout, now, rollout.paused?.detail ?? rollout.reason);
}

/** Writes down what does not move the rollout to another phase. */
export function note(rollout: Rollout, now: number, reason: string, detail: Record<string, unknown> = {}): Decision {
  return {
    next: { ...rollout, reason },
    journal: [{ at: now, from: rollout.phase, to: rollout.phase, reason, detail }],
    actions: [],
    reason,
    wakeAt: now,
  };
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
  return {
    next,
    journal: [{ at: now, from: rollout.phase, to: phase, reason, detail }],
    actions: [],
    reason,
    wakeAt: now,
  };
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
  return note(
    { ...rollout, step: rollout.step + 1, stepSince: now, stepPausedMs: 0, paused: null },
    now,
    reason,
    detail,
  );
}

export function pause(rollout: Rollout, why: PauseReason, now: number, detail: string): Decision {
  const paused: Pause = { reason: why, since: now, detail };
  // Whoever waits for a person does not keep a service from answering meanwhile: its former release is started again.
  const held = isPromoted(rollout) ? rollout.held : {};
  const decision = note({ ...rollout, paused, held }, now, detail, { paused: why });
  return { ...decision, wakeAt: deadlineAt(decision.next, now) };
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
