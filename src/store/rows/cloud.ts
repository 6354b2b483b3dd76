import { z } from 'zod';

import type { CloudConfig } from '../../domain/cloud/config.ts';
import type { Same } from './parse.ts';

const envPart = z.union([
  z.string(),
  z.strictObject({ secret: z.string(), version: z.string().optional() }),
  z.strictObject({ serviceUrl: z.string() }),
  z.strictObject({ port: z.literal(true) }),
]);

const database = z.strictObject({
  key: z.string(),
  instance: z.string(),
  version: z.number(),
  tier: z.string(),
  highAvailability: z.boolean(),
  storageGb: z.number(),
  storageType: z.enum(['SSD', 'HDD']),
  autoIncrease: z.boolean(),
  backupStart: z.string(),
  backupsKept: z.number(),
  pointInTime: z.boolean(),
  maintenance: z.strictObject({ day: z.number(), hour: z.number() }),
  maxConnections: z.number().nullable(),
  extensions: z.array(z.string()),
  name: z.string(),
  user: z.string(),
  passwordSecret: z.string(),
  urlSecret: z.string(),
  deletionProtection: z.boolean(),
});

const bucket = z.strictObject({
  key: z.string(),
  name: z.string(),
  public: z.boolean(),
  versioning: z.boolean(),
  expire: z.strictObject({ days: z.number(), prefixes: z.array(z.string()) }).nullable(),
});

const service = z.strictObject({
  service: z.string(),
  name: z.string(),
  public: z.boolean(),
  database: z.boolean(),
  port: z.number(),
  memory: z.number(),
  cpu: z.number(),
  minInstances: z.number(),
  maxInstances: z.number(),
  timeoutS: z.number(),
  concurrency: z.number(),
  health: z.string().nullable(),
  dockerfile: z.string(),
  context: z.string(),
  image: z.string().nullable(),
  env: z.record(z.string(), z.array(envPart)),
  urlVariable: z.string(),
});

/** What a project has in the cloud, as it is stored with it. Strict, as all rows of projects are. */
export const cloudSchema = z.strictObject({
  provider: z.literal('google'),
  project: z.string(),
  region: z.string(),
  apis: z.array(z.string()),
  labels: z.record(z.string(), z.string()),
  network: z.strictObject({ name: z.string(), egress: z.enum(['direct', 'connector']), range: z.string() }).nullable(),
  account: z.strictObject({ name: z.string(), roles: z.array(z.string()), keyFile: z.string().nullable() }),
  repository: z.strictObject({ name: z.string(), keepVersions: z.number() }),
  database: database.nullable(),
  buckets: z.array(bucket),
  secrets: z.array(z.strictObject({ variable: z.string(), id: z.string() })),
  budget: z.strictObject({ amount: z.number(), currency: z.string(), thresholds: z.array(z.number()) }).nullable(),
  billingExport: z.string().nullable().default(null),
  logDays: z.number(),
  auditLogs: z.boolean(),
  alerts: z.strictObject({ emails: z.array(z.string()), everyS: z.number() }),
  services: z.array(service),
  runsServices: z.boolean(),
  urlFile: z.string().nullable(),
});

true satisfies Same<z.infer<typeof cloudSchema>, CloudConfig>;
