import { z } from 'zod';
import { METRICS } from '../../domain/analysis/evidence.ts';
import type { storedEvidenceSchema } from '../../domain/analysis/evidence-schema.ts';
import type { EvidenceTotals, StoredEvidence } from '../../domain/analysis/evidence-store.ts';
import type { Verdict } from '../../domain/analysis/verdict.ts';
import type { Same } from './parse.ts';

const weightCounts = z.array(z.strictObject({ weight: z.number(), canary: z.number(), baseline: z.number() }));

const armTotals = z.strictObject({
  requests: z.number(),
  sessions: z.number(),
  bad: z.number(),
  slowP75: z.number(),
  slowP95: z.number(),
  ttfb: z.array(z.number()),
});

export const evidenceTotalsSchema = z.strictObject({
  metrics: z.strictObject({ errors: weightCounts, slowP75: weightCounts, slowP95: weightCounts }),
  arms: z.strictObject({ canary: armTotals, baseline: armTotals }),
  unit: z.enum(['sessions', 'requests']).optional(),
});

/** Absent in what was judged before it was told. */
const interval = z.tuple([z.number(), z.number()]).readonly().nullable().optional();

export const verdictSchema = z.strictObject({
  verdict: z.enum(['pass', 'fail', 'inconclusive', 'error']),
  reason: z.string(),
  test: z.enum(['owner', 'counts', 'window']),
  metrics: z.array(
    z.strictObject({
      metric: z.enum([...METRICS, 'p95']),
      unit: z.enum(['rate', 'ms']),
      canary: z.number().nullable(),
      baseline: z.number().nullable(),
      canaryRange: interval,
      baselineRange: interval,
      limit: z.number().nullable(),
      e: z.number(),
      logE: z.number(),
      share: z.number(),
      threshold: z.number(),
      progress: z.number(),
      state: z.enum(['ok', 'warn', 'hold', 'fail']),
    }),
  ),
  canaryRequests: z.number(),
  baselineRequests: z.number(),
  neededRequests: z.number().nullable(),
  detectable: z.number().nullable(),
});

true satisfies Same<z.infer<typeof evidenceTotalsSchema>, EvidenceTotals>;
true satisfies Same<z.infer<typeof verdictSchema>, Verdict>;
true satisfies Same<z.infer<typeof storedEvidenceSchema>, StoredEvidence>;
