import { z } from 'zod';
import type { EvidenceReport } from './evidence.ts';

/** Checks a report that came from another process or from the store. Kept apart from the types: the edge's hot path needs no zod. */
const count = z.number().min(0).max(Number.MAX_SAFE_INTEGER);

const weightCounts = z.array(z.object({ weight: z.number().min(0).max(100), canary: count, baseline: count }));

const armTotals = z.object({
  requests: count,
  sessions: count,
  bad: count,
  slowP75: count,
  slowP95: count,
  ttfb: z.array(count),
});

export const evidenceReportSchema = z.object({
  // It becomes a key of a stored object; this one would be dropped without a word when that is read back.
  epoch: z
    .string()
    .min(1)
    .refine((epoch) => epoch !== '__proto__', 'not a name'),
  sequence: z.number().int().min(0),
  rollout: z.string().min(1),
  metrics: z.object({ errors: weightCounts, slowP75: weightCounts, slowP95: weightCounts }),
  arms: z.object({ canary: armTotals, baseline: armTotals }),
  unit: z.enum(['sessions', 'requests']).optional(),
  countedUntil: count.optional(),
}) satisfies z.ZodType<EvidenceReport>;

export const storedEvidenceSchema = z.object({
  rollout: z.string().min(1),
  epochs: z.record(z.string(), evidenceReportSchema),
});
