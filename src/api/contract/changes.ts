import { z } from 'zod';
import { name } from './common.ts';
import { streamOperation } from './operation.ts';

/**
 * That something has changed, and where. Small on purpose: whoever shows it asks for it again, and several of the same kind
 * that come at once are one.
 */
export const changeEventSchema = z
  .discriminatedUnion('type', [
    /**
     * Everything that is shown has to be asked for again: the line begins here (`begin`), another controller answers
     * (`other-controller`), or more has happened since than is remembered (`too-old`).
     */
    z.object({ type: z.literal('reset'), reason: z.enum(['begin', 'other-controller', 'too-old']) }),
    /** Health, instances, weights, sizes, runs or openness of an environment. */
    z.object({ type: z.literal('status'), project: name, environment: name }),
    z.object({
      type: z.literal('rollout'),
      project: name,
      environment: name,
      rollout: name,
      phase: z.string(),
      end: z.enum(['complete', 'aborted', 'failed', 'rolled-back']).nullable(),
      settled: z.boolean(),
      /** Why it waits; null: it does not. */
      paused: z.string().nullable(),
    }),
    /** Another release serves; null: none. */
    z.object({
      type: z.literal('release'),
      project: name,
      environment: name,
      service: name,
      release: z.string().nullable(),
    }),
    /** New statistics were taken, of all environments. */
    z.object({ type: z.literal('metrics') }),
    /** The store went away, or is back. */
    z.object({ type: z.literal('server'), storeAway: z.boolean() }),
    /** Somebody did something. Null: it is not about one environment. */
    z.object({ type: z.literal('audit'), project: name.nullable(), environment: name.nullable() }),
  ])
  .meta({ id: 'Change' });

export const changeOperations = {
  followChanges: streamOperation({
    summary:
      'That something has changed in what may be seen, as it happens; what was missed comes after `Last-Event-ID`',
    permission: null,
    input: z.object({}),
    reply: changeEventSchema,
  }),
};

export type ChangeEvent = z.infer<typeof changeEventSchema>;
