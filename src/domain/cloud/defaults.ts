import type { CloudDatabase } from './config.ts';

/**
 * What holds in the cloud when nothing is written. Any environment that is not `development` or `staging` is treated
 * like production, because forgetting to say so must not cost the care.
 */

export const isLikeProduction = (environment: string): boolean =>
  environment !== 'development' && environment !== 'staging';

/** What a service's account may do: reach the database, read and write objects, read secrets, ask private services. */
export const DEFAULT_ROLES: readonly string[] = [
  'roles/cloudsql.client',
  'roles/storage.objectAdmin',
  'roles/secretmanager.secretAccessor',
  'roles/run.invoker',
];

/** Always on: what a project needs as soon as anything of it is in the cloud. */
export const BASE_APIS: readonly string[] = [
  'compute.googleapis.com',
  'sqladmin.googleapis.com',
  'storage-api.googleapis.com',
  'run.googleapis.com',
  'secretmanager.googleapis.com',
  'artifactregistry.googleapis.com',
  'cloudbuild.googleapis.com',
];

/** Older ones are refused. */
export const OLDEST_POSTGRES = 15;
export const POSTGRES_PORT = 5432;

type DatabaseDefaults = Pick<
  CloudDatabase,
  | 'version'
  | 'tier'
  | 'highAvailability'
  | 'storageGb'
  | 'storageType'
  | 'autoIncrease'
  | 'backupStart'
  | 'backupsKept'
  | 'pointInTime'
  | 'maintenance'
  | 'deletionProtection'
>;

export function databaseDefaults(environment: string): DatabaseDefaults {
  const careful = isLikeProduction(environment);
  return {
    version: OLDEST_POSTGRES,
    tier: careful ? 'db-custom-1-3840' : 'db-f1-micro',
    highAvailability: false,
    storageGb: 10,
    storageType: 'SSD',
    autoIncrease: true,
    backupStart: '03:00',
    backupsKept: careful ? 30 : 7,
    pointInTime: careful,
    maintenance: { day: 7, hour: 4 },
    deletionProtection: careful,
  };
}

export const DEFAULT_SERVICE = {
  port: 8080,
  memory: 512 * 2 ** 20,
  cpu: 1,
  minInstances: 0,
  maxInstances: 10,
  timeoutS: 300,
  concurrency: 80,
} as const;

export const DEFAULT_THRESHOLDS: readonly number[] = [0.5, 0.9, 1];
export const DEFAULT_LOG_DAYS = 30;
export const DEFAULT_KEPT_IMAGES = 10;
export const DEFAULT_CONNECTOR_RANGE = '10.8.0.0/28';

/** Where alerts fire: share of answers with 5xx, p95 in milliseconds. */
export const ALERT_THRESHOLDS = { errors: 0.05, latency: 2000 } as const;
/** Failed looks from outside in a row that are an alert. */
export const DOWN_LOOKS = 2;
/** Each look is six, one from each place, and what a project has for nothing is used up by five services at one a minute. */
export const DEFAULT_UPTIME_PERIOD_S = 300;
