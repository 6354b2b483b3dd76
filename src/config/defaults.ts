import type { AnalysisLimits, HealthConfig, RolloutPolicy, Schedule } from '../domain/project/project.ts';

/**
 * What holds when nothing is written: what a careful operator would choose. Any environment that is not `development`
 * or `staging` is treated like production, because forgetting to say so must not cost the care.
 */

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;

export const DEFAULT_ENVIRONMENT = 'development';

/** Exist without being written. */
export const IMPLICIT_ENVIRONMENTS = ['development', 'production'] as const;

export const DEFAULT_PORT = 8080;
export const DEFAULT_TLS_PORT = 8443;
export const DEFAULT_TIMEOUT_MS = minute;
export const DEFAULT_INSTANCES = 1;

export const DEFAULT_SCHEDULE: Omit<Schedule, 'at'> = { timeZone: 'UTC', lateMs: hour, deadlineMs: 6 * hour };

export const DEFAULT_HEALTH: HealthConfig = {
  path: null,
  graceMs: 10 * second,
  deadlineMs: minute,
  intervalMs: 2 * second,
  timeoutMs: 5 * second,
};

/** Of the requests that neither failed nor were slow. */
export const DEFAULT_ACCESS_LOG = { sample: 0.1, slowMs: second };
export const DEFAULT_FORWARD_AUTH_TIMEOUT_MS = 5 * second;

const LIMITS: AnalysisLimits = { errorRate: 0.01, p95Ms: second, minRequests: null };

const PRODUCTION: RolloutPolicy = {
  canary: [
    { weight: 10, forMs: 10 * minute },
    { weight: 50, forMs: 5 * minute },
  ],
  analysis: LIMITS,
  onInconclusive: 'pause',
  rollbackWindowMs: hour,
  holdback: 0,
  drainMs: 30 * second,
  deadlines: {
    buildingMs: 20 * minute,
    startingMs: 5 * minute,
    migratingMs: 15 * minute,
    verifyingMs: 5 * minute,
    promotingMs: 5 * minute,
  },
  pauseMs: 24 * hour,
  keepReleases: 5,
  keepFailed: false,
};

export function defaultRollout(environment: string): RolloutPolicy {
  if (environment === 'staging') return { ...PRODUCTION, canary: [], onInconclusive: 'promote' };
  if (environment === 'development') {
    // Somebody waits at the keyboard, and memory for two releases of everything is not to be had for long.
    return { ...PRODUCTION, canary: [], onInconclusive: 'promote', rollbackWindowMs: 10 * minute };
  }
  return PRODUCTION;
}

export function defaultStopGraceMs(environment: string): number {
  return environment === 'development' ? 5 * second : 30 * second;
}

/** A development machine is nobody's server; anywhere else the edge is there to be reached. */
export function defaultBind(environment: string): string {
  return environment === 'development' ? '127.0.0.1' : '0.0.0.0';
}

export const DEFAULT_RUNTIME = 'process';
