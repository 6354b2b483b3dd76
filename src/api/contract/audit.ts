import { z } from 'zod';
import { name, next, page, time } from './common.ts';
import { downloadOperation, operation } from './operation.ts';

/** Who did what, and what came of it. */

/** `unknown`: whoever carried it out died before it could say. */
const RESULTS = ['done', 'refused', 'failed', 'unknown'] as const;

const filter = {
  who: name.optional(),
  /** Such as `deploy` or `setSecrets`. */
  operation: name.optional(),
  /** Its id. */
  organization: name.optional(),
  project: name.optional(),
  environment: name.optional(),
  from: time.optional(),
  /** Without this moment itself. */
  to: time.optional(),
};

const actSchema = z
  .object({
    /** Its place in the chain. */
    seq: z.number().int(),
    at: time,
    who: z.string(),
    /** What kind of identity that is. */
    identity: z.string(),
    /** `socket`, or an address. */
    source: z.string(),
    operation: z.string(),
    /** What it is of, as it was then; null: the server. */
    organization: z.string().nullable(),
    project: z.string().nullable(),
    environment: z.string().nullable(),
    service: z.string().nullable(),
    rollout: z.string().nullable(),
    result: z.enum(RESULTS),
    /** Why it was refused or failed. */
    code: z.string().nullable(),
    /** When its result was known; null: it is not. */
    answeredAt: time.nullable(),
    /** What was asked for, without secrets. */
    input: z.unknown().optional(),
    before: z.unknown().optional(),
    after: z.unknown().optional(),
  })
  .meta({ id: 'Act' });

const anchorSchema = z.object({ seq: z.number().int(), hash: z.string() });

export const auditOperations = {
  listAudit: operation({
    summary: 'Who did what, and what came of it, the newest first',
    permission: 'audit:read',
    perItem: true,
    input: z.object({ ...filter, result: z.enum(RESULTS).optional(), ...page(500, 50) }),
    reply: z.object({ acts: z.array(actSchema), next }),
  }),
  verifyAudit: operation({
    summary: 'Look through the whole chain for entries that were changed, removed, put in or moved',
    permission: 'server:read',
    input: z.object({}),
    reply: z.object({
      entries: z.number().int(),
      /** Null: there is none. What is older was cut off. */
      first: z.number().int().nullable(),
      head: anchorSchema.nullable(),
      /** What the file outside of the database says; null: there is no such file. */
      anchor: anchorSchema.nullable(),
      /** The first hundred of them. */
      findings: z.array(
        z.object({
          fault: z.enum(['changed', 'missing', 'displaced', 'rewritten']),
          seq: z.number().int(),
          what: z.string(),
        }),
      ),
      found: z.number().int(),
    }),
  }),
  exportAudit: downloadOperation({
    summary: 'Every entry of the chain, the oldest first, as a file',
    permission: 'audit:read',
    perItem: true,
    input: z.object({ ...filter, format: z.enum(['ndjson', 'csv']).default('ndjson') }),
  }),
};

export type ActView = z.infer<typeof actSchema>;
