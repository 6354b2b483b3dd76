import { z } from 'zod';
import { common } from './resource.ts';

/** Set-up, clean-up, start and stop: a line for each event with `--json`, then the result. */

const actSchema = z.enum(['create', 'update', 'replace', 'remove', 'start', 'stop']);

const subject = { address: common.address, act: actSchema, at: z.number() };

const cloudEventSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('begun'),
    ...subject,
    /** How long such a thing takes, s: of ten, all but one lie between. */
    usually: z.object({ fromS: z.number(), toS: z.number() }),
  }),
  z.object({ type: z.literal('step'), ...subject, doing: z.string() }),
  z.object({ type: z.literal('done'), ...subject, ms: z.number() }),
  z.object({ type: z.literal('failed'), ...subject, ms: z.number(), problem: common.problem }),
  z.object({ type: z.literal('skipped'), ...subject, because: z.array(common.address) }),
  z.object({ type: z.literal('left'), ...subject, ms: z.number() }),
]);

const touched = z.array(z.object({ address: common.address, act: actSchema }));

const cloudResultSchema = z.object({
  type: z.literal('result'),
  outcome: z.enum(['done', 'nothing', 'failed', 'interrupted']),
  exit: z.union([z.literal(0), z.literal(2), z.literal(130)]),
  done: touched,
  failed: z.array(z.object({ address: common.address, act: actSchema, problem: common.problem })),
  /** Not begun, since what they need failed. */
  skipped: z.array(z.object({ address: common.address, act: actSchema, because: z.array(common.address) })),
  /** Begun, and left by Ctrl-C: the provider may still finish them. */
  left: touched,
  /** Not begun, because of Ctrl-C. */
  waiting: touched,
  ms: z.number(),
  /** Commands to type next, with what each does. */
  next: z.array(z.object({ command: z.string(), means: z.string() })),
});

export const cloudRunLineSchema = z.union([cloudEventSchema, cloudResultSchema]);

export type CloudAct = z.infer<typeof actSchema>;
export type CloudEvent = z.infer<typeof cloudEventSchema>;
export type CloudResult = z.infer<typeof cloudResultSchema>;
