import { z } from 'zod';

const metricView = z.object({
  metric: z.string(),
  unit: z.enum(['rate', 'ms']),
  canary: z.number().nullable(),
  baseline: z.number().nullable(),
  limit: z.number().nullable(),
  /** 0..1: how far the evidence has come towards proof. */
  progress: z.number(),
  state: z.enum(['ok', 'warn', 'hold', 'fail']),
});

export const verdictViewSchema = z.object({
  verdict: z.enum(['pass', 'fail', 'inconclusive', 'error']),
  reason: z.string(),
  test: z.enum(['owner', 'window']),
  metrics: z.array(metricView),
  canaryRequests: z.number(),
  baselineRequests: z.number(),
  neededRequests: z.number().nullable(),
  detectable: z.number().nullable(),
});
