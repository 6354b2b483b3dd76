/**
 * What a team wants of a service, and from where on it is shown as a warning or as critical. Part of no release: a change
 * holds at once, and no rollout is made for it.
 */

export interface Levels {
  warning: number;
  critical: number;
}

/** What people call a service on a screen. */
export const ROLES = ['backend', 'web', 'landing', 'worker'] as const;
export type Role = (typeof ROLES)[number];

/** What the file says of one service; what is absent has its default, and null turns it off. */
export interface WrittenObjectives {
  service: string;
  role?: Role | undefined;
  /** Share of bad requests, 0..1. */
  errorRate?: Levels | null | undefined;
  /** Milliseconds, time to the first byte. */
  p95Ms?: Levels | null | undefined;
  /** Share of the memory limit of one instance, 0..1. */
  memory?: Levels | null | undefined;
  /** Share of good requests that there should be at least, 0..1. */
  availability?: number | null | undefined;
}

/** With every default applied; null: nothing is wanted. */
export interface Objectives {
  errorRate: Levels | null;
  p95Ms: Levels | null;
  memory: Levels | null;
  availability: number | null;
}

export const DEFAULT_ERROR_RATE: Levels = { warning: 0.01, critical: 0.05 };
export const DEFAULT_MEMORY: Levels = { warning: 0.8, critical: 0.95 };
/** How much more than its objective is critical. */
export const CRITICAL_TIMES = { errorRate: 5, p95Ms: 2 } as const;

/** @param acceptedP95Ms by which its releases are judged: what is good enough for a release is the objective, too. */
export function objectivesOf(
  written: Omit<WrittenObjectives, 'service' | 'role'> | undefined,
  acceptedP95Ms: number | null,
): Objectives {
  const p95Ms =
    acceptedP95Ms === null ? null : { warning: acceptedP95Ms, critical: acceptedP95Ms * CRITICAL_TIMES.p95Ms };
  return {
    errorRate: orDefault(written?.errorRate, DEFAULT_ERROR_RATE),
    p95Ms: orDefault(written?.p95Ms, p95Ms),
    memory: orDefault(written?.memory, DEFAULT_MEMORY),
    availability: orDefault(written?.availability, null),
  };
}

const orDefault = <T>(written: T | null | undefined, otherwise: T | null): T | null =>
  written === undefined ? otherwise : written;
