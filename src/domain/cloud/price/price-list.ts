/**
 * List prices in USD, without tax, discounts, commitments and credits. Base prices are those of Iowa (`us-central1`); what
 * other regions cost is known less exactly, and is a range.
 */

/** When these were looked at. They change a few times a year. */
export const PRICES_AS_OF = '2026-05';

export const CURRENCY = 'USD';

/** Hours of a month, as Google reckons. */
export const MONTH_HOURS = 730;
export const MONTH_SECONDS = MONTH_HOURS * 3600;

export const SQL = {
  /** An hour. */
  sharedCore: { 'db-f1-micro': 0.0105, 'db-g1-small': 0.035 } as Readonly<Record<string, number>>,
  /** An hour of one vCPU and of one GB of memory. */
  enterprise: { cpu: 0.0413, memoryGb: 0.007 },
  enterprisePlus: { cpu: 0.05369, memoryGb: 0.0091 },
  /** A GB for a month. */
  storageGb: { SSD: 0.17, HDD: 0.09 },
  backupGb: 0.08,
  /** An hour of a public address of an instance that is stopped; it costs nothing while that runs. */
  idleAddress: 0.01,
} as const;

/** Billing by request: a second of one vCPU and of one GiB. */
export const RUN = {
  1: { cpu: 0.000024, memoryGib: 0.0000025, idleCpu: 0.0000025, idleMemoryGib: 0.0000025 },
  2: { cpu: 0.0000336, memoryGib: 0.0000035, idleCpu: 0.0000035, idleMemoryGib: 0.0000035 },
} as const;
export const RUN_MILLION_REQUESTS = 0.4;

/** A GB for a month, in Iowa. */
export const STORAGE_GB: Readonly<Record<string, number>> = {
  STANDARD: 0.02,
  NEARLINE: 0.01,
  COLDLINE: 0.004,
  ARCHIVE: 0.0012,
};

export const IMAGES_GB = 0.1;
/** A version that is not destroyed, for a month. */
export const SECRET_VERSION = 0.06;
export const THOUSAND_UPTIME_CHECKS = 0.3;
/** A check asks from each of these. */
export const UPTIME_PLACES = 6;
/** What was announced for a condition of an alert; the day it begins was put off several times. */
export const ALERT_CONDITION = 1.5;
/** A GiB for each month beyond the first. */
export const OLD_LOGS_GIB = 0.01;
/** An e2-micro, of which a connector is made, for an hour. */
export const CONNECTOR_HOUR = 0.00838;
export const CLUSTER_HOUR = 0.1;

/** What Google gives away each month, in USD of the prices above. */
export const ALLOWANCES = {
  /** 180,000 vCPU seconds, 360,000 GiB seconds, 2 million requests. */
  runCpu: { usd: 180_000 * RUN[1].cpu, of: 'account' },
  runMemory: { usd: 360_000 * RUN[1].memoryGib, of: 'account' },
  runRequests: { usd: 2 * RUN_MILLION_REQUESTS, of: 'account' },
  /** Six versions. */
  secrets: { usd: 6 * SECRET_VERSION, of: 'account' },
  /** Half a GB. */
  images: { usd: 0.5 * IMAGES_GB, of: 'account' },
  /** A million checks. */
  uptime: { usd: 1000 * THOUSAND_UPTIME_CHECKS, of: 'project' },
} as const satisfies Record<string, { usd: number; of: 'account' | 'project' }>;

export type Allowance = keyof typeof ALLOWANCES;

/** From and to: the same where it is known. */
export type Factor = readonly [number, number];

export interface Region {
  /** Machines and databases, times those of Iowa. */
  compute: Factor;
  /** Storage, times that of Iowa. */
  storage: Factor;
  /** Of Cloud Run. */
  tier: 1 | 2;
  known: boolean;
}

const same: Factor = [1, 1];
const around = (factor: number): Factor => [factor * 0.95, factor * 1.05];

const as = (tier: 1 | 2, compute: Factor, storage: Factor): Region => ({ tier, compute, storage, known: true });

export const REGIONS: Readonly<Record<string, Region>> = {
  'us-central1': as(1, same, same),
  'us-east1': as(1, same, same),
  'us-west1': as(1, same, same),
  'us-east4': as(1, around(1.13), around(1.15)),
  'us-east5': as(1, around(1.05), around(1)),
  'us-south1': as(1, around(1.18), around(1.1)),
  'us-west2': as(2, around(1.2), around(1.15)),
  'us-west3': as(2, around(1.2), around(1.15)),
  'us-west4': as(2, around(1.13), around(1.15)),
  'northamerica-northeast1': as(2, around(1.1), around(1.15)),
  'northamerica-northeast2': as(2, around(1.1), around(1.15)),
  'southamerica-east1': as(2, around(1.5), around(1.75)),
  'europe-west1': as(1, around(1.1), same),
  'europe-west4': as(1, around(1.1), same),
  'europe-north1': as(1, around(1.1), same),
  'europe-west2': as(2, around(1.2), around(1.15)),
  'europe-west3': as(2, around(1.2), around(1.15)),
  'europe-west6': as(2, around(1.4), around(1.25)),
  'europe-west8': as(1, around(1.17), around(1.15)),
  'europe-west9': as(1, around(1.17), around(1.15)),
  'europe-southwest1': as(1, around(1.17), around(1.15)),
  'europe-central2': as(2, around(1.29), around(1.15)),
  'asia-east1': as(1, around(1.16), same),
  'asia-northeast1': as(1, around(1.3), around(1.15)),
  'asia-northeast3': as(2, around(1.3), around(1.15)),
  'asia-south1': as(1, around(1.2), around(1.15)),
  'asia-southeast1': as(2, around(1.23), same),
  'australia-southeast1': as(2, around(1.35), around(1.15)),
};

/** Of a region of which nothing is known: between the cheapest and the dearest. */
export const UNKNOWN_REGION: Region = { tier: 2, compute: [1, 1.6], storage: [1, 1.8], known: false };

export const regionOf = (name: string): Region => REGIONS[name.toLowerCase()] ?? UNKNOWN_REGION;
