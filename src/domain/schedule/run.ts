/** What a run is worth: `unknown` died without a recorded end, `skipped` and `missed` never began. */
export const RUN_STATES = ['running', 'done', 'failed', 'cancelled', 'unknown', 'skipped', 'missed'] as const;
export type RunState = (typeof RUN_STATES)[number];

/** One run of a scheduled service, or a time at which there was none, and why. Service and time name it. */
export interface Run {
  project: string;
  environment: string;
  service: string;
  /** The time of the schedule that it is for, or when somebody asked for it. */
  dueAt: number;
  /** Who asked for it; null: the schedule. */
  askedBy: string | null;
  /** What runs, or would have. */
  release: string | null;
  state: RunState;
  startedAt: number | null;
  endedAt: number | null;
  /** How it ended, or why there was none, with the last of its output where that helps. */
  reason: string;
  /** Who asked to end it. */
  cancelledBy: string | null;
}

/** Up to where the times of a service's schedule have been decided upon. */
export interface ScheduleMark {
  service: string;
  /** The schedule that this holds for. With another one, times begin to count anew. */
  spec: string;
  through: number;
}

/** The name of its job. Derived, so that a controller that comes back finds what it began. */
export const runId = ({
  project,
  environment,
  service,
  dueAt,
}: Pick<Run, 'project' | 'environment' | 'service' | 'dueAt'>): string =>
  `${project}.${environment}.${service}.run.${dueAt}`;
