import type { EnvTemplate } from '../project/project.ts';

/**
 * What `evenkeel.yaml` says of the cloud, resolved for one environment: every name made, every default applied. Sizes in
 * bytes unless the name says otherwise, times as their names say.
 */
export interface CloudConfig {
  provider: 'google';
  /** Id of the cloud project. */
  project: string;
  region: string;
  /** More APIs than those that the resources need. */
  apis: string[];
  /** Labels beside evenkeel's own. */
  labels: Record<string, string>;
  network: {
    name: string;
    /** How services reach it. */
    egress: 'direct' | 'connector';
    /** For a connector, a free /28. */
    range: string;
  } | null;
  account: {
    /** The part before the `@`. */
    name: string;
    roles: string[];
    /** Where `evenkeel cloud setup` writes a key of it, absolute; never in a place that git would take. Null: no key. */
    keyFile: string | null;
  };
  repository: { name: string; keepVersions: number };
  database: CloudDatabase | null;
  buckets: CloudBucket[];
  /** Also those of the database's password and address. */
  secrets: CloudSecret[];
  /** For a month; thresholds are shares of the amount, such as 0.5. */
  budget: { amount: number; currency: string; thresholds: number[] } | null;
  /** Table of BigQuery with what was billed, `PROJECT.DATASET.TABLE`; null: nobody can know it. */
  billingExport: string | null;
  /** Of the whole cloud project: the longest of the environments that share it. */
  logDays: number;
  auditLogs: boolean;
  /** Who is told when a service is not well, and how often it is looked at from outside: 60, 300, 600 or 900 s. */
  alerts: { emails: string[]; everyS: number };
  /** Those that run on Cloud Run; none when `runsServices` is false. */
  services: CloudService[];
  /** Whether services of this environment run on Cloud Run; otherwise only what they use is in the cloud. */
  runsServices: boolean;
  /** Written with the services' addresses after a deploy, absolute; null: nowhere. */
  urlFile: string | null;
}

export interface CloudDatabase {
  /** Its name in the file, such as `main`. */
  key: string;
  instance: string;
  /** 15 or newer. */
  version: number;
  tier: string;
  highAvailability: boolean;
  storageGb: number;
  storageType: 'SSD' | 'HDD';
  autoIncrease: boolean;
  /** `HH:MM`, UTC. */
  backupStart: string;
  backupsKept: number;
  pointInTime: boolean;
  /** Day 1 is Monday; hour UTC. */
  maintenance: { day: number; hour: number };
  maxConnections: number | null;
  extensions: string[];
  name: string;
  user: string;
  /** Id of the secret that holds the password of `user`. */
  passwordSecret: string;
  /** Id of the secret that holds the composed `DATABASE_URL`. */
  urlSecret: string;
  deletionProtection: boolean;
}

export interface CloudBucket {
  /** Its name in the file, such as `avatars`; services get it as `GCS_BUCKET_AVATARS`. */
  key: string;
  /** Its name in the cloud, unique in the world. */
  name: string;
  public: boolean;
  versioning: boolean;
  expire: { days: number; prefixes: string[] } | null;
}

export interface CloudSecret {
  /** As services know it, such as `JWT_SECRET`. */
  variable: string;
  /** Its id in the cloud, such as `jwt-secret`. */
  id: string;
}

export interface CloudService {
  /** Its name in the file. */
  service: string;
  /** Its name in the cloud. */
  name: string;
  /** Answers to everybody. */
  public: boolean;
  /** It uses the database. */
  database: boolean;
  port: number;
  /** Bytes; cores. */
  memory: number;
  cpu: number;
  minInstances: number;
  maxInstances: number;
  timeoutS: number;
  concurrency: number;
  /** Asked with GET for health, or null for the TCP port alone. */
  health: string | null;
  /** Relative to the project's folder. */
  dockerfile: string;
  /** Build context, relative to the project's folder. */
  context: string;
  /** An image to use as it is, instead of a build. */
  image: string | null;
  env: EnvTemplate;
  /** The variable by which the others know its address, such as `WEBSOCKET_URL`. */
  urlVariable: string;
}
