import { z } from 'zod';
import { name, time } from './common.ts';
import { closedSchema } from './entry.ts';
import { operation } from './operation.ts';
import { rolloutViewSchema } from './rollouts.ts';
import { scheduleStatusSchema } from './runs.ts';
import { serverStatusSchema } from './server.ts';
import { tlsStatusSchema } from './tls.ts';

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
      /** Absent: what runs there is observed now. Else why it cannot be, and what is shown was seen then, or never. */
      blind: z.object({ why: z.string(), seenAt: time.nullable() }).optional(),
      services: z.array(serviceStatusSchema),
      rollouts: z.array(rolloutViewSchema),
    }),
  ),
});

export const statusOperations = {
  getStatus: operation({
    summary: 'What is observed now of every environment that may be seen',
    permission: 'environment:read',
    perItem: true,
    input: z.object({ project: name.optional(), environment: name.optional() }),
    reply: statusReplySchema,
  }),
};

export type ServiceStatus = z.infer<typeof serviceStatusSchema>;
export type StatusReply = z.infer<typeof statusReplySchema>;
