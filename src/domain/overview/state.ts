import type { Levels } from '../project/objectives.ts';

/** How something is, at a glance. Where nothing was seen it is `unknown`, which is never the same as healthy. */
export const STATES = ['healthy', 'warning', 'critical', 'unknown'] as const;
export type State = (typeof STATES)[number];

/** @param value null: nothing was seen. @returns null: nothing is wanted of it, so there is nothing to judge. */
export function stateOf(value: number | null, levels: Levels | null): State | null {
  if (levels === null) return null;
  if (value === null) return 'unknown';
  return value >= levels.critical ? 'critical' : value >= levels.warning ? 'warning' : 'healthy';
}

const WORSE: readonly State[] = ['healthy', 'unknown', 'warning', 'critical'];

/** The worst of several; of none: `unknown`. What is unknown is worse than what is known to be well. */
export function worstOf(states: readonly (State | null)[]): State {
  const known = states.filter((each) => each !== null);
  if (known.length === 0) return 'unknown';
  return known.reduce((worst, each) => (WORSE.indexOf(each) > WORSE.indexOf(worst) ? each : worst));
}

/** The worst of what was seen: a service that nobody asked last night says nothing about the others. */
export const worstSeen = (states: readonly (State | null)[]): State =>
  worstOf(states.filter((each) => each !== 'unknown'));
