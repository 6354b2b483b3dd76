import { z } from 'zod';
import { storedEvidenceSchema } from '../../domain/analysis/evidence-schema.ts';
import { isPromoted } from '../../domain/rollout/active.ts';
import { PHASES, type Rollout } from '../../domain/rollout/rollout.ts';
import { flag, type RolloutRow } from './database.ts';
import { formatJson, parseJson, parseValue, type Same } from './parse.ts';
import { listenSchema, rolloutPolicySchema, serviceKindSchema } from './project.ts';
import { evidenceTotalsSchema, verdictSchema } from './verdict.ts';

export const phaseSchema = z.enum(PHASES);
export const endSchema = z.enum(['complete', 'aborted', 'failed', 'rolled-back']);

const serviceSchema = z.strictObject({
  service: z.string(),
  kind: serviceKindSchema,
  from: z.string().nullable(),
  to: z.string(),
  after: z.array(z.string()),
  builds: z.boolean(),
  migrates: z.boolean(),
  smokes: z.boolean(),
  checks: z.boolean(),
  alone: z.literal(true).optional(),
  away: z.literal(true).optional(),
  contracts: z.boolean().default(false),
  limits: rolloutPolicySchema.shape.analysis,
});

const analysisSchema = z.strictObject({
  slow: z.strictObject({ p75Ms: z.number(), p95Ms: z.number() }).nullable(),
  evidence: storedEvidenceSchema,
  inner: storedEvidenceSchema.optional(),
  windowStart: evidenceTotalsSchema.nullable(),
  verdict: verdictSchema.nullable(),
});

const pauseSchema = z.strictObject({
  reason: z.enum(['approval', 'inconclusive', 'unknown-job', 'contract', 'operator']),
  since: z.number(),
  detail: z.string(),
});

const heldCountsSchema = z.strictObject({ epoch: z.string(), waited: z.number(), refused: z.number() });

/** What of a rollout no query looks at. */
const stateSchema = z.strictObject({
  kind: z.enum(['deploy', 'rollback']),
  services: z.array(serviceSchema),
  removes: z.array(z.strictObject({ service: z.string(), kind: serviceKindSchema, release: z.string() })).default([]),
  opens: z.strictObject({ from: listenSchema, to: listenSchema }).nullable().default(null),
  policy: rolloutPolicySchema,
  allowsBreaking: z.boolean().default(false),
  approvalsNeeded: z.number(),
  approvalRule: z.number().nullable().default(null),
  requestedBy: z.string(),
  author: z.string().nullable().default(null),
  endedAt: z.number().nullable(),
  phaseSince: z.number(),
  step: z.number(),
  stepSince: z.number(),
  phasePausedMs: z.number(),
  stepPausedMs: z.number(),
  paused: pauseSchema.nullable(),
  waived: z.array(z.string()),
  attempts: z.record(z.string(), z.number()),
  verified: z.array(z.string()),
  held: z.record(z.string(), z.strictObject({ since: z.number(), counted: heldCountsSchema.nullable() })).default({}),
  contract: z.record(z.string(), z.enum(['begun', 'done', 'failed', 'unknown'])).default({}),
  approvals: z.array(
    z.strictObject({
      by: z.string(),
      human: z.string().nullable().default(null),
      at: z.number(),
      comment: z.string().nullable(),
    }),
  ),
  analysis: z.record(z.string(), analysisSchema),
  reason: z.string(),
  requestSeq: z.number(),
  promotedAt: z.number().nullable(),
});

type Columns = 'id' | 'project' | 'environment' | 'phase' | 'end' | 'settled' | 'fence' | 'version' | 'createdAt';
true satisfies Same<z.infer<typeof stateSchema>, Omit<Rollout, Columns>>;

const settledSchema = z.union([z.literal(0), z.literal(1)]);

export type RolloutColumns = Omit<RolloutRow, 'ordinal' | 'journal_seq' | 'request_seq'>;

export function rolloutColumns(rollout: Rollout): RolloutColumns {
  const { id, project, environment, phase, end, settled, fence, version, createdAt, ...state } = rollout;
  return {
    id,
    project,
    environment,
    phase,
    end_state: end,
    settled: flag(settled),
    live: flag(end === null || !settled),
    fence,
    version,
    created_at: createdAt,
    state: formatJson(stateSchema, state, { table: 'rollouts', id }),
  };
}

export function readRollout(row: RolloutColumns): Rollout {
  const name = { table: 'rollouts', id: row.id };
  return {
    id: row.id,
    project: row.project,
    environment: row.environment,
    phase: parseValue(phaseSchema, row.phase, name),
    end: parseValue(endSchema.nullable(), row.end_state, name),
    settled: parseValue(settledSchema, row.settled, name) === 1,
    fence: row.fence,
    version: row.version,
    createdAt: row.created_at,
    ...parseJson(stateSchema, row.state, name),
  };
}

/** Whether no other rollout of its services may begin. */
export const isBlocking = (rollout: Rollout): boolean => rollout.end === null && !isPromoted(rollout);
