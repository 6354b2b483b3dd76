import { z } from 'zod';
import type { EvidenceReport } from '../analysis/evidence.ts';
import { evidenceReportSchema } from '../analysis/evidence-schema.ts';
import { edgeReleaseStatsSchema } from './protocol.ts';

/**
 * What GET /stats answers. Every number is cumulative for the epoch, and sums what all edge processes of the epoch
 * counted: one that drains, one that ended, one that was killed (whose last second may be missing, never doubled).
 *
 * Each request is counted once: in `requests` of the release that was chosen first (`bad` likewise), or, when its
 * service had no release to choose, in `unserved`, or in `unrouted` when no route matched. `classes` and `ttfb` count
 * for the release that really answered; a reply that the edge made up itself (502, 503, 504) is in nobody's classes.
 *
 * Only the newest former releases of a service have entries of their own. Those before them are summed in one entry
 * named `FORMER_RELEASES`, so that sums over a service never shrink: include it in totals, leave it out where releases
 * are compared or followed.
 */

/** Stands for all releases of a service that left too long ago to be told apart. No release has such a name. */
export const FORMER_RELEASES = '(former releases)';

const count = z.number().int().nonnegative();

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

export type EdgeStats = Omit<z.infer<typeof edgeStatsSchema>, 'evidence'> & { evidence: EvidenceReport[] };
