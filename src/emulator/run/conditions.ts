import type { Condition } from './shapes.ts';

/** What came of something, for its conditions. */
export interface Outcome {
  ok: boolean;
  message?: string;
  reason?: string;
  revisionReason?: string;
}

export function condition(type: string, outcome: Outcome | 'pending', at: string): Condition {
  if (outcome === 'pending') return { type, state: 'CONDITION_RECONCILING', lastTransitionTime: at };
  if (outcome.ok) return { type, state: 'CONDITION_SUCCEEDED', lastTransitionTime: at };
  const { message = '', reason, revisionReason } = outcome;
  return {
    type,
    state: 'CONDITION_FAILED',
    message,
    lastTransitionTime: at,
    severity: 'ERROR',
    ...(reason === undefined ? {} : { reason }),
    ...(revisionReason === undefined ? {} : { revisionReason }),
  };
}

/** Keeps the time of a condition that did not change. */
export function since(now: Condition[], before: readonly Condition[] | undefined): Condition[] {
  return now.map((each) => {
    const former = before?.find(({ type }) => type === each.type);
    const same = former?.state === each.state && former.message === each.message;
    return same && former.lastTransitionTime !== undefined
      ? { ...each, lastTransitionTime: former.lastTransitionTime }
      : each;
  });
}

export const isReady = (conditions: readonly Condition[] | undefined, type = 'Ready'): boolean =>
  conditions?.some((each) => each.type === type && each.state === 'CONDITION_SUCCEEDED') ?? false;
