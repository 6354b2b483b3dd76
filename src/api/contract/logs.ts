import { z } from 'zod';
import { part, scopeSchema, time } from './common.ts';
import { streamOperation } from './operation.ts';

/** Lines of logs, as the API streams them. */

/** A line of the access log; see docs/entry.md. Lines may hold more. */
export const accessLineSchema = z.object({
  at: z.string(),
  client: z.string(),
  method: z.string(),
  host: z.string().nullable(),
  path: z.string(),
  query: z.string().optional(),
  status: z.number(),
  bytes: z.number(),
  ms: z.number(),
  service: z.string().nullable(),
  release: z.string().nullable(),
  instance: z.string().nullable(),
  refusedBy: z.string().optional(),
  end: z.string().optional(),
});

const logLineSchema = z
  .object({
    /** Null when it is not known. */
    at: time.nullable(),
    service: z.string(),
    release: z.string().nullable(),
    instance: z.string().nullable(),
    line: z.string(),
  })
  .meta({ id: 'LogLine' });

export const logOperations = {
  readLogs: streamOperation({
    summary: 'Lines of logs of instances, jobs or the edge; goes on with what is written when it follows',
    permission: 'logs:read',
    input: scopeSchema.extend({
      service: part.optional(),
      release: part.optional(),
      instance: part.optional(),
      /** The output of this kind of job instead of that of instances. */
      job: z.enum(['build', 'migrate', 'smoke', 'check', 'contract', 'scheduled']).optional(),
      /** The access log of the edge instead. */
      access: z.boolean().default(false),
      /** Lines whose time is not known are kept. */
      since: time.optional(),
      /** The last ones. */
      lines: z.number().int().min(0).max(100_000).default(200),
      /** A regular expression without look-around or references back. */
      grep: z.string().max(1000).optional(),
      follow: z.boolean().default(false),
    }),
    reply: logLineSchema,
  }),
};

/** A line of what an instance, a job or the edge wrote. */
export type LogLine = z.infer<typeof logLineSchema>;
/** With what it leaves to its defaults. */
export type CheckedLogsQuery = z.output<typeof logOperations.readLogs.input>;
export type LogsQuery = z.input<typeof logOperations.readLogs.input>;
