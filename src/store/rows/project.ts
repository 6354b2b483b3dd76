import { z } from 'zod';
import { CHALLENGES } from '../../domain/certificate/acme.ts';
import type { Project, RolloutPolicy, ServiceConfig } from '../../domain/project/project.ts';
import { ROLES } from '../../domain/project/objectives.ts';
import { cloudRunSchema, envPart } from './cloud-run.ts';
import { cloudSchema } from './cloud.ts';
import { entrySchema } from './entry.ts';
import type { Same } from './parse.ts';

/**
 * Objects are strict: a field that a newer evenkeel wrote is refused here instead of being dropped in silence at the
 * next write. A field that is added later needs a default, for the rows that lack it.
 */
const smokeCheck = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('http'),
    method: z.string(),
    path: z.string(),
    status: z.number(),
    bodyIncludes: z.string().nullable(),
  }),
  z.strictObject({ kind: z.literal('command'), command: z.string() }),
]);

export const serviceKindSchema = z.enum(['http', 'static', 'worker']);

export const rolloutPolicySchema = z.strictObject({
  canary: z.array(z.strictObject({ weight: z.number(), forMs: z.number() })),
  analysis: z.strictObject({
    errorRate: z.number().nullable(),
    p95Ms: z.number().nullable(),
    minRequests: z.number().nullable().default(null),
  }),
  onInconclusive: z.enum(['pause', 'promote', 'abort']),
  rollbackWindowMs: z.number(),
  holdback: z.number(),
  drainMs: z.number(),
  deadlines: z.strictObject({
    buildingMs: z.number(),
    startingMs: z.number(),
    migratingMs: z.number(),
    verifyingMs: z.number(),
    promotingMs: z.number(),
  }),
  pauseMs: z.number(),
  keepReleases: z.number(),
  keepFailed: z.boolean(),
});

export const serviceConfigSchema = z.strictObject({
  name: z.string(),
  kind: serviceKindSchema,
  dir: z.string(),
  build: z.string().nullable(),
  run: z.string().nullable(),
  migrate: z.string().nullable(),
  migrations: z
    .strictObject({ folders: z.array(z.string()).nullable(), breaking: z.enum(['refuse', 'warn', 'off']) })
    .optional(),
  contract: z.string().optional(),
  smoke: z.array(smokeCheck),
  check: z.string().nullable(),
  static: z.strictObject({ dir: z.string(), spa: z.boolean() }).nullable(),
  health: z.strictObject({
    path: z.string().nullable(),
    graceMs: z.number(),
    deadlineMs: z.number(),
    intervalMs: z.number(),
    timeoutMs: z.number(),
  }),
  instances: z.number(),
  scale: z
    .strictObject({ max: z.number(), concurrency: z.number(), cpu: z.number(), cooldownMs: z.number() })
    .optional(),
  overlap: z.literal(false).optional(),
  schedule: z
    .strictObject({ at: z.array(z.string()), timeZone: z.string(), lateMs: z.number(), deadlineMs: z.number() })
    .optional(),
  timeoutMs: z.number(),
  env: z.record(z.string(), z.array(envPart)),
  routes: z.array(z.strictObject({ host: z.string().nullable(), path: z.string() })),
  after: z.array(z.string()),
  resources: z.strictObject({
    memory: z.number().nullable(),
    cpu: z.number().nullable(),
    processes: z.number().optional(),
    openFiles: z.number().optional(),
  }),
  user: z.string().optional(),
  data: z.array(z.string()),
  stopGraceMs: z.number(),
  cloud: cloudRunSchema.optional(),
  rollout: rolloutPolicySchema,
});

export const listenSchema = z.strictObject({ port: z.number(), bind: z.string() });

const levels = z.strictObject({ warning: z.number(), critical: z.number() }).nullable().optional();

const writtenObjectives = z.strictObject({
  service: z.string(),
  role: z.enum(ROLES).optional(),
  errorRate: levels,
  p95Ms: levels,
  memory: levels,
  availability: z.number().nullable().optional(),
});

export const projectSchema = z.strictObject({
  name: z.string(),
  root: z.string(),
  environment: z.strictObject({
    name: z.string(),
    domain: z.string().nullable(),
    ...listenSchema.shape,
    approve: z.strictObject({ people: z.number() }),
    tls: z
      .strictObject({
        port: z.number(),
        certificates: z.array(z.strictObject({ cert: z.string(), key: z.string() })),
        redirect: z.boolean(),
        hsts: z.enum(['off', 'on', 'preload']),
        acme: z
          .strictObject({
            directory: z.string(),
            email: z.string().nullable(),
            ca: z.string().nullable(),
            challenge: z.enum(CHALLENGES).nullable(),
          })
          .optional(),
      })
      .optional(),
    entry: entrySchema.optional(),
    objectives: z.array(writtenObjectives).optional(),
    switched: z.strictObject({ services: z.array(z.string()).nullable(), by: z.string(), at: z.number() }).optional(),
  }),
  services: z.array(serviceConfigSchema),
  secrets: z.array(z.string()),
  cloud: cloudSchema.optional(),
});

true satisfies Same<z.infer<typeof rolloutPolicySchema>, RolloutPolicy>;
true satisfies Same<z.infer<typeof serviceConfigSchema>, ServiceConfig>;
true satisfies Same<z.infer<typeof projectSchema>, Project>;
