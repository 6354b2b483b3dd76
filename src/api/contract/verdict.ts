import { z } from 'zod';

const range = z.object({ low: z.number(), high: z.number() });

const metricView = z.object({
  metric: z.string(),
  unit: z.enum(['rate', 'ms']),
  canary: z.number().nullable(),
  baseline: z.number().nullable(),
  /** Where they may well be, 19 times of 20; null: nothing was seen. */
  canaryRange: range.nullable(),
  baselineRange: range.nullable(),
  limit: z.number().nullable(),
  /** 0..1: how far the evidence has come towards proof. */
  progress: z.number(),
  state: z.enum(['ok', 'warn', 'hold', 'fail']),
});

export const verdictViewSchema = z.object({
  verdict: z.enum(['pass', 'fail', 'inconclusive', 'error']),
  reason: z.string(),
  test: z.enum(['owner', 'counts', 'window']),
  metrics: z.array(metricView),
  canaryRequests: z.number(),
  baselineRequests: z.number(),
  neededRequests: z.number().nullable(),
  detectable: z.number().nullable(),
});

export type VerdictView = z.infer<typeof verdictViewSchema>;
