import { z } from 'zod';
import { REFUSALS } from '../../domain/rollout/rollout.ts';
import { name, next, page, time } from './common.ts';
import { operation, streamOperation } from './operation.ts';
import { unwrittenSchema } from './server.ts';
import { verdictViewSchema } from './verdict.ts';

export const rolloutViewSchema = z
  .object({
    id: name,
    project: name,
    environment: name,
    kind: z.enum(['deploy', 'rollback']),
    phase: z.string(),
    end: z.enum(['complete', 'aborted', 'failed', 'rolled-back']).nullable(),
    settled: z.boolean(),
    reason: z.string(),
    paused: z.object({ reason: z.string(), since: time, detail: z.string() }).nullable(),
    requestedBy: z.string(),
    createdAt: time,
    phaseSince: time,
    promotedAt: time.nullable(),
    endedAt: time.nullable(),
    approvals: z.object({
      needed: z.number().int(),
      given: z.array(z.object({ by: z.string(), at: time, comment: z.string().nullable() })),
    }),
    canary: z.object({
      steps: z.array(z.object({ weight: z.number(), forMs: z.number() })),
      step: z.number().int(),
      stepSince: time,
      /** Desired percent on the new release, now. */
      weight: z.number(),
      /** What that is a share of: a session stays with its release at our edge, a cloud shares out requests. */
      of: z.enum(['sessions', 'requests']).optional(),
    }),
    rollbackWindowMs: z.number(),
    /** Services that it takes down, and what served of them. */
    removes: z.array(z.object({ service: name, release: name })),
    /** Where it moves the public port of the environment; null: nowhere. */
    opens: z.object({ bind: z.string(), port: z.number().int() }).nullable(),
    /** Wall time at which time alone moves it on (step, window, deadline), or null. */
    nextAt: time.nullable(),
    services: z.array(
      z.object({
        service: name,
        kind: z.enum(['http', 'static', 'worker']),
        from: z.string().nullable(),
        to: z.string(),
        label: z.string().nullable(),
        /** Its former release has stopped so that it could start: the way back is a stop and a start, too. */
        alone: z.boolean().optional(),
        /** What takes away what only older releases needed; null: there is none. */
        contract: z.enum(['due', 'begun', 'done', 'failed', 'unknown', 'not-run']).nullable().optional(),
        verdict: verdictViewSchema.nullable(),
        /** As the edge and the runtime see it now; null when it could not be asked. */
        observed: z.object({ wanted: z.number(), running: z.number(), healthy: z.number() }).nullable(),
      }),
    ),
  })
  .meta({ id: 'Rollout' });

/** What came of one request: `answer` is null while it waits for something else (a migration that ends first). */
export const requestReplySchema = rolloutViewSchema
  .extend({
    answer: z.object({ refused: z.enum(REFUSALS).nullable(), reason: z.string() }).nullable(),
    /** The store was away, and the view is of before. */
    unwritten: unwrittenSchema.optional(),
  })
  .meta({ id: 'RolloutAnswer' });

export const journalViewSchema = z
  .object({
    seq: z.number().int(),
    at: time,
    from: z.string().nullable(),
    to: z.string(),
    reason: z.string(),
    detail: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'JournalEntry' });

export const rolloutEventSchema = z
  .discriminatedUnion('type', [
    z.object({ type: z.literal('journal'), entry: journalViewSchema }),
    /** Whenever something to show has changed, at most a few times a second. */
    z.object({ type: z.literal('rollout'), rollout: rolloutViewSchema }),
    /** A line of build, migration, smoke or check output. */
    z.object({ type: z.literal('output'), job: z.string(), service: z.string(), line: z.string() }),
  ])
  .meta({ id: 'RolloutEvent' });

const rollout = z.object({ rollout: name });

export const rolloutOperations = {
  listRollouts: operation({
    summary: 'Rollouts, the newest first',
    permission: 'environment:read',
    perItem: true,
    input: z.object({
      project: name.optional(),
      environment: name.optional(),
      service: name.optional(),
      ...page(500, 20),
    }),
    reply: z.object({ rollouts: z.array(rolloutViewSchema), next }),
  }),
  getRollout: operation({
    summary: 'One rollout, with what is observed of it now',
    permission: 'environment:read',
    input: rollout,
    reply: rolloutViewSchema,
  }),
  getStory: operation({
    summary: 'The journal of a rollout: every transition with its reason and numbers',
    permission: 'environment:read',
    input: rollout,
    reply: z.object({ entries: z.array(journalViewSchema) }),
  }),
  followRollout: streamOperation({
    summary: 'The journal of a rollout so far, then what happens, until it is over and settled',
    permission: 'environment:read',
    input: rollout.extend({
      /** Entries of the journal after this one; `Last-Event-ID` says the same. */
      after: z.number().int().min(0).default(0),
    }),
    reply: rolloutEventSchema,
  }),
  steerRollout: operation({
    summary: 'Promote, pause, resume or abort; answers with what came of it',
    permission: 'rollout:steer',
    input: rollout.extend({
      kind: z.enum(['promote', 'pause', 'resume', 'abort']),
      comment: z.string().max(2000).nullable().default(null),
      /** Abort while a migration runs: do not wait for its end. */
      force: z.boolean().default(false),
    }),
    reply: requestReplySchema,
  }),
  answerApproval: operation({
    summary: 'Approve a rollout that waits for people, or reject it; answers with what came of it',
    permission: 'rollout:approve',
    input: rollout.extend({
      kind: z.enum(['approve', 'reject']),
      comment: z.string().max(2000).nullable().default(null),
    }),
    reply: requestReplySchema,
  }),
};

export type RequestReply = z.infer<typeof requestReplySchema>;
export type RolloutView = z.infer<typeof rolloutViewSchema>;
export type JournalView = z.infer<typeof journalViewSchema>;
export type RolloutEvent = z.infer<typeof rolloutEventSchema>;
export type SteerKind = z.infer<typeof rolloutOperations.steerRollout.input>['kind'];
export type ApprovalKind = z.infer<typeof rolloutOperations.answerApproval.input>['kind'];
