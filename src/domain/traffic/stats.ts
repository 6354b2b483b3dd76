import { z } from 'zod';
import { METRICS } from '../analysis/evidence.ts';
import type { EvidenceReport } from '../analysis/evidence.ts';
import { edgeReleaseStatsSchema } from './protocol.ts';

/**
 * What GET /stats answers. Every number is cumulative for the epoch, and sums what all edge processes of the epoch
 * counted: one that drains, one that ended, one that was killed (whose last second may be missing, never doubled).
 *
 * Each request is counted once: in `requests` of the release that was chosen first (`bad` likewise), or, when its
 * service had no release to choose, in `unserved`, or in `unrouted` when no route matched. `classes` and `ttfb` count
 * for the release that really answered; a reply that the edge made up itself (502, 503, 504) is in nobody's classes.
 */

const count = z.number().int().nonnegative();

const weightCountsSchema = z.object({ weight: z.number(), canary: count, baseline: count });

const armTotalsSchema = z.object({
  requests: count,
  sessions: count,
  bad: count,
  slowP75: count,
  slowP95: count,
  ttfb: z.array(z.number()),
});

export const evidenceReportSchema = z.object({
  epoch: z.string(),
  sequence: z.number().int(),
  rollout: z.string(),
  metrics: z.object({
    errors: z.array(weightCountsSchema),
    slowP75: z.array(weightCountsSchema),
    slowP95: z.array(weightCountsSchema),
  } satisfies Record<(typeof METRICS)[number], unknown>),
  arms: z.object({ canary: armTotalsSchema, baseline: armTotalsSchema }),
}) satisfies z.ZodType<EvidenceReport>;

export const edgeServiceStatsSchema = z.object({
  key: z.string(),
  /** Waiting now for an instance. */
  held: count,
  /** Ever held. */
  heldTotal: count,
  /** Answered 503 because no instance was there (after waiting, or at once). */
  refused: count,
  /** Requests that came while the service had no release to choose. */
  unserved: count,
});

export const edgeStatsSchema = z.object({
  /** One life of the counters. A new one begins only when they were lost. */
  epoch: z.string(),
  /** Grows with every report of the epoch. */
  sequence: z.number().int(),
  /** Wall time. */
  at: z.number().int(),
  releases: z.array(edgeReleaseStatsSchema),
  services: z.array(edgeServiceStatsSchema),
  /** One for each rollout that has a split. */
  evidence: z.array(evidenceReportSchema),
  /** Requests that no route matched. */
  unrouted: count,
});

export type EdgeServiceStats = z.infer<typeof edgeServiceStatsSchema>;
export type EdgeStats = z.infer<typeof edgeStatsSchema>;
