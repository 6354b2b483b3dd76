import { z } from 'zod';
import { edgeEntryFields, edgeRouteFields } from './policy.ts';
import { edgeTlsSchema, edgeTlsStateSchema } from './tls.ts';

/**
 * What the controller tells the edge and what the edge reports back, as JSON over the edge's control socket.
 *
 *   POST /apply   ApplyCommand  -> ApplyReply      one atomic, idempotent change; refused when its fence is old
 *   GET  /state                 -> EdgeState       what is applied, and each instance's health as the edge sees it
 *   GET  /stats                 -> EdgeStats       counters since the edge's epoch began, and the canary's evidence
 *
 * A command carries whole services, never differences: the edge's table for a service is replaced by what it names.
 */

const id = z.string().min(1);
const port = z.number().int().min(1).max(65535);
const milliseconds = z.number().int().nonnegative();
const percent = z.number().min(0).max(100);

export const edgeInstanceSchema = z.object({
  id,
  port,
  /** Wall time of its start; its first seconds are no evidence of slowness. */
  startedAt: milliseconds,
  /** Finish what it has, take nothing new. */
  draining: z.boolean().default(false),
});

export const edgeReleaseSchema = z.object({
  /** Such as `api@42`. */
  release: id,
  /** Desired share of sessions; the weights of a service sum to 100 (or are all 0 while nothing may be served). */
  weight: percent,
  instances: z.array(edgeInstanceSchema),
  /** Its own health check, when it differs from the service's (a release may move its health path). */
  health: z
    .object({ path: z.string().nullable(), graceMs: milliseconds, intervalMs: milliseconds, timeoutMs: milliseconds })
    .nullable()
    .default(null),
  /** For a static service instead of instances: an absolute folder. */
  static: z.object({ root: z.string(), spa: z.boolean() }).nullable(),
});

/** The canary's split; null outside a rollout. While it is set, first bad events are counted by owner. */
export const edgeSplitSchema = z.object({
  rollout: id,
  canary: id,
  baseline: id,
  /** Time to first byte above which a reply counts as slow: the baseline's p75 and p95 before the canary started. */
  slow: z.object({ p75Ms: z.number(), p95Ms: z.number() }).nullable(),
});

export const edgeServiceSchema = z.object({
  project: id,
  environment: id,
  service: id,
  /** Sessions are hashed together with this: the services of one rollout unit share it. */
  unit: id,
  /** Public routes; matched by host, then by longest path. */
  routes: z.array(
    z.object({
      port,
      host: z.string().nullable(),
      path: z.string(),
      /** Address to listen on, such as `0.0.0.0` or `::`; without one nobody but this machine is served (127.0.0.1). */
      bind: z.string().optional(),
      ...edgeRouteFields,
    }),
  ),
  ...edgeEntryFields,
  /** The same routes over TLS. A port or a certificate that is not to be had refuses nothing: see the state. */
  tls: edgeTlsSchema.optional(),
  /** Stable loopback port for service-to-service calls, or null for a static service without one. */
  internalPort: port.nullable(),
  /**
   * Loopback ports at which one release of another service asks this one. Callers of a release that is rolled out
   * together with one of ours are answered by that one, whatever its weight; null: by weight, as everybody is.
   */
  callers: z.array(z.object({ port, release: id.nullable() })).default([]),
  /** Loopback port on which every request goes to one release, whatever its weight (smoke checks). */
  preview: z.object({ port, release: id }).nullable(),
  releases: z.array(edgeReleaseSchema),
  split: edgeSplitSchema.nullable(),
  /** New requests wait, bounded, until an instance is there (`hold`), or are refused with 503 at once. */
  whenEmpty: z.enum(['hold', 'refuse']),
  health: z.object({
    path: z.string().nullable(),
    graceMs: milliseconds,
    intervalMs: milliseconds,
    timeoutMs: milliseconds,
  }),
  timeoutMs: milliseconds,
  drainMs: milliseconds,
});

export const applyCommandSchema = z.object({
  /** Of the controller that speaks; the edge keeps the highest that it has heard, and refuses lower. */
  fence: z.number().int().nonnegative(),
  /** The first words of a controller: from now on its fence is that of every service. */
  takesOver: z.boolean().default(false),
  services: z.array(edgeServiceSchema),
  /** Services that are to vanish, as `project/environment/service`. */
  remove: z.array(z.string()),
});

export const applyReplySchema = z.object({
  applied: z.boolean(),
  /**
   * Why not, when it was refused: `fence` (a newer one is known), `conflict` (a route is taken by another service),
   * `invalid` (it contradicts itself), `port` (cannot be listened on), `superseded` (a newer edge process has taken
   * over: ask again, the socket leads to it), `pending` (what was told before is still being done: ask again).
   */
  refused: z
    .object({ reason: z.enum(['fence', 'conflict', 'invalid', 'port', 'superseded', 'pending']), detail: z.string() })
    .nullable(),
  /** Set when the table was switched but could not be written (a full disk): it serves, but would not survive a crash. */
  unpersisted: z.string().optional(),
  /** Wall time at which the table was switched and persisted. */
  at: milliseconds,
});

export const edgeInstanceHealthSchema = z.object({
  id,
  healthy: z.boolean(),
  /** Successful checks in a row. */
  consecutive: z.number().int(),
  checks: z.number().int(),
  lastError: z.string().nullable(),
  /** Requests and upgraded connections that it still has. */
  inFlight: z.number().int(),
  ejected: z.boolean(),
});

export const edgeStateSchema = z.object({
  epoch: id,
  /** Of the process that answers. */
  pid: z.number().int(),
  services: z.array(
    z.object({
      key: z.string(),
      fence: z.number().int(),
      config: edgeServiceSchema,
      instances: z.array(edgeInstanceHealthSchema),
      /** Shares as they are now: a release without a healthy instance has given its own to the others. */
      effective: z.array(z.object({ release: id, weight: percent })).optional(),
      held: z.number().int(),
      /** Where everybody reaches it, when that is not by its routes on ports of this machine. */
      url: z.string().optional(),
    }),
  ),
  tls: z.array(edgeTlsStateSchema).optional(),
  /** Processes that receive traffic and whose health is in this; absent: the one that answers is alone. */
  workers: z.array(z.number().int()).optional(),
});

/** Counts for one release of one service since the epoch began; probes and previews are not in it. */
export const edgeReleaseStatsSchema = z.object({
  key: z.string(),
  release: id,
  requests: z.number().int(),
  /** By class: index 0 is 1xx, 4 is 5xx; replies that never came are in `bad` alone. */
  classes: z.array(z.number().int()).length(5),
  /** 5xx, failed connect, timeout or truncated reply of the upstream, counted for the release first chosen. */
  bad: z.number().int(),
  clientAborts: z.number().int(),
  retries: z.number().int(),
  /** Time to first byte, as the sparse counts of lib/histogram.ts. */
  ttfb: z.array(z.number()),
  inFlight: z.number().int(),
  websockets: z.number().int(),
});

export type EdgeInstance = z.infer<typeof edgeInstanceSchema>;
export type EdgeRelease = z.infer<typeof edgeReleaseSchema>;
export type EdgeService = z.infer<typeof edgeServiceSchema>;
export type ApplyCommand = z.input<typeof applyCommandSchema> & { services: EdgeService[] };
export type ApplyReply = z.infer<typeof applyReplySchema>;
export type EdgeInstanceHealth = z.infer<typeof edgeInstanceHealthSchema>;
export type EdgeState = z.infer<typeof edgeStateSchema>;
export type EdgeReleaseStats = z.infer<typeof edgeReleaseStatsSchema>;

/** `project/environment/service`: how the edge names a service. */
export const serviceKey = (service: { project: string; environment: string; service: string }): string =>
  `${service.project}/${service.environment}/${service.service}`;
