import { z } from 'zod';
import { name, part, scopeSchema, time } from './common.ts';
import { operation } from './operation.ts';
import { objectivesSchema } from './overview.ts';

const DAY = 86_400_000;

/** One value for each piece, oldest first; null: nothing was seen in it. */
const column = z.array(z.number().nullable());

const usageSchema = z.object({
  /** Cores, on average. */
  cpu: column,
  /** Bytes, on average. */
  memory: column,
  /** The highest. */
  memoryMax: column,
});

const seriesSchema = z
  .object({
    /** Begin of each piece. */
    at: z.array(time),
    bucketMs: z.number().int(),
    /** Of the samples behind it. */
    resolution: z.enum(['10s', '1m']),
    traffic: z.object({
      requests: column,
      /** A second. */
      rate: column,
      /** 0..1. */
      errorRate: column,
      /** Milliseconds to the first byte. */
      averageMs: column,
      p50Ms: column,
      p95Ms: column,
      p99Ms: column,
    }),
    /** All instances of a release together, the newest release last. */
    releases: z.array(usageSchema.extend({ release: z.string(), requests: column, errorRate: column, p95Ms: column })),
    /** Those that were seen last. */
    instances: z.array(usageSchema.extend({ instance: z.string(), release: z.string() })),
    /** How many more there were. */
    instancesLeftOut: z.number().int(),
    /** What was promoted or taken back. */
    marks: z.array(
      z.object({
        at: time,
        kind: z.enum(['promoted', 'rolled-back', 'aborted', 'failed']),
        rollout: name,
        /** The release that it brought, or was to bring. */
        release: z.string(),
        /** What served before. */
        former: z.string().nullable(),
        by: z.string(),
      }),
    ),
    limits: z.object({ cpu: z.number().nullable(), memory: z.number().nullable() }),
    objectives: objectivesSchema,
  })
  .meta({ id: 'Series' });

export const seriesOperations = {
  getSeries: operation({
    summary: 'A service over time: requests, latency, processor and memory, with marks for releases',
    permission: 'environment:read',
    input: scopeSchema
      .extend({
        service: part,
        from: time.min(0),
        to: time.min(1),
        /** Pieces at most. They are as fine as statistics are kept: 10 s for a day, a minute for 30 days. */
        points: z.number().int().min(2).max(2_000).default(200),
      })
      .refine(({ from, to }) => to > from, { error: 'must be after `from`', path: ['to'] })
      .refine(({ from, to }) => to - from <= 31 * DAY, { error: 'at most 31 days', path: ['from'] }),
    reply: seriesSchema,
  }),
};

export type Series = z.infer<typeof seriesSchema>;
