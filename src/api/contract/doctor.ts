import { z } from 'zod';
import { operation } from './operation.ts';

/** What the server tells about itself to whoever looks for what is wrong. */

const doctorReplySchema = z.object({
  version: z.string(),
  edge: z.boolean(),
  /** One entry for each database; `why` says what is wrong with it. */
  databases: z.array(z.object({ file: z.string(), why: z.string().nullable() })),
  /** Absent: the server is from before it could be. */
  storeAway: z.boolean().optional(),
  /** Requests that were carried out while the store was away, and are still to be written. */
  unwritten: z.number().int().optional(),
  environments: z.array(z.object({ project: z.string(), environment: z.string(), wanted: z.enum(['up', 'down']) })),
});

/** What `evenkeel doctor` found; with `--json` one of them is an entry of `findings`. */
const findingSchema = z.object({
  check: z.string(),
  level: z.enum(['ok', 'warning', 'problem']),
  what: z.string(),
  next: z.string().nullable(),
});

export const doctorOperations = {
  examineServer: operation({
    summary: 'What only the server can tell to whoever looks for what is wrong',
    permission: 'server:read',
    input: z.object({}),
    reply: doctorReplySchema,
  }),
};

export type DoctorReply = z.infer<typeof doctorReplySchema>;
export type Finding = z.infer<typeof findingSchema>;
