import { z } from 'zod';
import { migrationReportSchema } from './migrations.ts';
import { tlsStatusSchema } from './tls.ts';
import { closedSchema } from './entry.ts';
import { REFUSALS } from '../../domain/rollout/rollout.ts';
import { scheduleStatusSchema } from './runs.ts';
import { verdictViewSchema } from './verdict.ts';
import { serverStatusSchema, unwrittenSchema } from './server.ts';

/**
 * What CLI and controller say to each other: JSON over the controller's unix socket, bearer token from a 0600 file.
 * Schemas only. Requests are checked by the controller, replies are typed by what is inferred here.
 *
 *   POST   /v1/deploy                     DeployRequest   -> DeployReply
 *   POST   /v1/down                       Scope           -> DownReply
 *   POST   /v1/rollback                   RollbackRequest -> DeployReply
 *   POST   /v1/restart                    RestartRequest  -> DeployReply
 *   GET    /v1/status?project&environment StatusReply     (both optional: everything)
 *   GET    /v1/rollouts?project&environment&service&limit            { rollouts: RolloutView[] }
 *   GET    /v1/rollouts/:id               RolloutView
 *   GET    /v1/rollouts/:id/events        NDJSON of RolloutEvent: the journal so far, then live until it is over
 *   GET    /v1/rollouts/:id/story         { entries: JournalView[] }
 *   POST   /v1/rollouts/:id/requests      RolloutRequest  -> RequestReply
 *   GET    /v1/releases?project&environment&service&limit            { releases: ReleaseView[] }
 *   GET    /v1/logs?project&environment&service&release&instance&job&since&lines&grep&follow   NDJSON of LogLine
 *   /v1/runs, /v1/scale                   see runs.ts and scale.ts
 *   GET    /v1/secrets?project&environment                           { secrets: SecretView[] }
 *   PUT    /v1/secrets                    { project, environment, by, secrets: { NAME: value } } -> SecretsSet
 *   DELETE /v1/secrets?project&environment&name                      { removed: boolean }
 *
 * A refusal is an ErrorReply with a 4xx or 5xx status.
 */

const name = z.string().min(1).max(200);
const time = z.number().int();

export const errorReplySchema = z.object({
  code: z.string(),
  what: z.string(),
  where: z.string().nullable(),
  why: z.string().nullable(),
  next: z.string().nullable(),
  retryable: z.boolean(),
  exit: z.union([z.literal(1), z.literal(2), z.literal(3)]),
});

export const scopeSchema = z.object({ project: name, environment: name });

export const deployRequestSchema = z.object({
  /** The resolved project (domain/project Project), as the CLI read it. */
  project: z.unknown(),
  /** Null: every service of the file. */
  services: z.array(name).nullable(),
  /** `up`: only services that are new, changed or not running; nothing changed is an answer. */
  onlyChanged: z.boolean(),
  label: z.string().max(200).nullable(),
  /** Abort what is under way for these services first. */
  replace: z.boolean(),
  keepFailed: z.boolean().nullable(),
  allowBreakingMigrations: z.boolean().default(false),
  by: name,
});

export const deployReplySchema = z.object({
  /** Null: nothing had to be done. */
  rollout: z.string().nullable(),
  /** In words: what was begun, or why nothing was. */
  message: z.string(),
  /** The store was away: whether the edge has taken it back all the same. */
  unwritten: unwrittenSchema.pick({ done: true }).optional(),
  /** What was found in the new migrations; absent or empty where none are run. */
  migrations: z.array(migrationReportSchema).optional(),
});

export const rollbackRequestSchema = scopeSchema.extend({
  /** Null with `all`: every service of the last rollout. */
  service: name.nullable(),
  all: z.boolean(),
  /** A release such as `api@41`, or a label; null: the former one. */
  to: name.nullable(),
  comment: z.string().nullable(),
  by: name,
});

export const restartRequestSchema = scopeSchema.extend({ services: z.array(name).min(1), by: name });

export const rolloutRequestSchema = z.object({
  kind: z.enum(['promote', 'pause', 'resume', 'abort', 'approve', 'reject']),
  by: name,
  comment: z.string().max(2000).nullable(),
  force: z.boolean(),
});

export const rolloutViewSchema = z.object({
  id: name,
  project: name,
  environment: name,
  kind: z.enum(['deploy', 'rollback']),
  phase: z.string(),
  end: z.enum(['complete', 'aborted', 'failed', 'rolled-back']).nullable(),
  settled: z.boolean(),
  reason: z.string(),
  paused: z.object({ reason: z.string(), since: time, detail: z.string() }).nullable(),
  requestedBy: z.string(),
  createdAt: time,
  phaseSince: time,
  promotedAt: time.nullable(),
  endedAt: time.nullable(),
  approvals: z.object({
    needed: z.number().int(),
    given: z.array(z.object({ by: z.string(), at: time, comment: z.string().nullable() })),
  }),
  canary: z.object({
    steps: z.array(z.object({ weight: z.number(), forMs: z.number() })),
    step: z.number().int(),
    stepSince: time,
    /** Desired percent of sessions on the new release, now. */
    weight: z.number(),
  }),
  rollbackWindowMs: z.number(),
  /** Services that it takes down, and what served of them. */
  removes: z.array(z.object({ service: name, release: name })),
  /** Where it moves the public port of the environment; null: nowhere. */
  opens: z.object({ bind: z.string(), port: z.number().int() }).nullable(),
  /** Wall time at which time alone moves it on (step, window, deadline), or null. */
  nextAt: time.nullable(),
  services: z.array(
    z.object({
      service: name,
      kind: z.enum(['http', 'static', 'worker']),
      from: z.string().nullable(),
      to: z.string(),
      label: z.string().nullable(),
      /** Its former release has stopped so that it could start: the way back is a stop and a start, too. */
      alone: z.boolean().optional(),
      /** What takes away what only older releases needed; null: there is none. */
      contract: z.enum(['due', 'begun', 'done', 'failed', 'unknown', 'not-run']).nullable().optional(),
      verdict: verdictViewSchema.nullable(),
      /** As the edge and the runtime see it now; null when it could not be asked. */
      observed: z.object({ wanted: z.number(), running: z.number(), healthy: z.number() }).nullable(),
    }),
  ),
});

/** What came of one request: `answer` is null while it waits for something else (a migration that ends first). */
export const requestReplySchema = rolloutViewSchema.extend({
  answer: z.object({ refused: z.enum(REFUSALS).nullable(), reason: z.string() }).nullable(),
  /** The store was away, and the view is of before. */
  unwritten: unwrittenSchema.optional(),
});

export const journalViewSchema = z.object({
  seq: z.number().int(),
  at: time,
  from: z.string().nullable(),
  to: z.string(),
  reason: z.string(),
  detail: z.record(z.string(), z.unknown()),
});

export const rolloutEventSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('journal'), entry: journalViewSchema }),
  /** Whenever something to show has changed, at most a few times a second. */
  z.object({ type: z.literal('rollout'), rollout: rolloutViewSchema }),
  /** A line of build, migration, smoke or check output. */
  z.object({ type: z.literal('output'), job: z.string(), service: z.string(), line: z.string() }),
]);

export const serviceStatusSchema = z.object({
  service: name,
  kind: z.enum(['http', 'static', 'worker']),
  release: z.string().nullable(),
  label: z.string().nullable(),
  former: z.string().nullable(),
  /** In words a person acts on. */
  health: z.enum(['healthy', 'degraded', 'down', 'stopped', 'unknown']),
  detail: z.string(),
  instances: z.array(
    z.object({
      id: z.string(),
      release: z.string(),
      state: z.string(),
      healthy: z.boolean().nullable(),
      pid: z.number().nullable(),
      port: z.number().nullable(),
      startedAt: time,
      restarts: z.number().int(),
      cpu: z.number().nullable(),
      memory: z.number().nullable(),
      lastEnd: z.string().nullable(),
    }),
  ),
  /** Shares of sessions as the edge has them applied. */
  weights: z.record(z.string(), z.number()),
  urls: z.array(z.string()),
  internalUrl: z.string().nullable(),
  /** Absent: it runs all the time. */
  schedule: scheduleStatusSchema.optional(),
  /** Over the last minute, or null. */
  traffic: z
    .object({ requestsPerSecond: z.number(), errorRate: z.number().nullable(), p95Ms: z.number().nullable() })
    .nullable(),
});

export const statusReplySchema = z.object({
  server: serverStatusSchema,
  environments: z.array(
    z.object({
      project: name,
      environment: name,
      wanted: z.enum(['up', 'down']),
      root: z.string(),
      /** Absent: none is configured. */
      tls: tlsStatusSchema.optional(),
      /** Absent: everything is open. */
      closed: closedSchema.optional(),
      services: z.array(serviceStatusSchema),
      rollouts: z.array(rolloutViewSchema),
    }),
  ),
});

export const downReplySchema = z.object({ message: z.string(), stopped: z.number().int() });

export type ErrorReply = z.infer<typeof errorReplySchema>;
export type Scope = z.infer<typeof scopeSchema>;
export type DeployRequest = z.infer<typeof deployRequestSchema>;
export type DeployReply = z.infer<typeof deployReplySchema>;
export type RollbackRequest = z.infer<typeof rollbackRequestSchema>;
export type RestartRequest = z.infer<typeof restartRequestSchema>;
export type RolloutRequest = z.infer<typeof rolloutRequestSchema>;
export type RequestReply = z.infer<typeof requestReplySchema>;
export type VerdictView = z.infer<typeof verdictViewSchema>;
export type RolloutView = z.infer<typeof rolloutViewSchema>;
export type JournalView = z.infer<typeof journalViewSchema>;
export type RolloutEvent = z.infer<typeof rolloutEventSchema>;
export type ServiceStatus = z.infer<typeof serviceStatusSchema>;
export type StatusReply = z.infer<typeof statusReplySchema>;
export type DownReply = z.infer<typeof downReplySchema>;
