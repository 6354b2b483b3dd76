import { z } from 'zod';

/**
 * The processes of a server.
 *
 *   GET    /v1/server                     ServerInfo
 *   POST   /v1/server/stop                {} -> {}        stops controller, edge and keeper; instances too with `instances`
 */

/** Who of several controllers acts, and whether its store is there. */
const standingSchema = z.object({
  /** Of the controller that answers; higher with every controller that begins to act. */
  fence: z.number().int(),
  /** False: without the store it may not act, but for what takes back. */
  acts: z.boolean(),
  store: z.enum(['file', 'postgres']),
  /** Everybody, this one among them. */
  controllers: z.array(z.object({ pid: z.number().int(), role: z.enum(['starts', 'stands by', 'acts']) })),
});

const serverInfoSchema = z.object({
  version: z.string(),
  pid: z.number(),
  startedAt: z.number().int(),
  home: z.string(),
  edge: z.boolean(),
  /** Processes that receive traffic. Absent: one, or the edge does not answer. */
  edgeWorkers: z.number().int().optional(),
  /** Absent: the server is from before there could be several. */
  standing: standingSchema.optional(),
});

/** What `status` says of them. */
export const serverStatusSchema = z.object({
  version: z.string(),
  pid: z.number(),
  startedAt: z.number().int(),
  edge: z.boolean(),
  standing: standingSchema.optional(),
  /** Since when the store has not answered: what is shown of it is of before. Absent: it answers. */
  storeAwaySince: z.number().int().optional(),
  /** Requests that were carried out meanwhile and are still to be written. Absent: none. */
  unwritten: z.number().int().optional(),
});

export const serverStopSchema = z.object({ instances: z.boolean() });

/** What was done at the edge alone while the store was away. `message` says what is so, and what is still to be written. */
export const unwrittenSchema = z.object({ done: z.boolean(), message: z.string() });

export type Standing = z.infer<typeof standingSchema>;
export type ServerInfo = z.infer<typeof serverInfoSchema>;
