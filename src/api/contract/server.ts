import { z } from 'zod';
import { operation } from './operation.ts';

/** The processes of a server. */

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
  /** Absent: the server is from before it had one. */
  dashboard: z
    .object({
      /** Null: it is off, or its port is not to be had. */
      url: z.string().nullable(),
      /** Nobody has ever signed in there. */
      first: z.boolean(),
    })
    .optional(),
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

/** What was done at the edge alone while the store was away. `message` says what is so, and what is still to be written. */
export const unwrittenSchema = z.object({ done: z.boolean(), message: z.string() });

export const serverOperations = {
  getServer: operation({
    summary: 'Version and processes of the server, and who of several controllers acts',
    permission: 'server:read',
    input: z.object({}),
    reply: serverInfoSchema,
  }),
  stopServer: operation({
    summary: 'Stop controller, edge and keeper',
    permission: 'server:operate',
    input: z.object({
      /** Stop what runs everywhere, too. */
      instances: z.boolean(),
    }),
    reply: z.object({}),
  }),
  restartEdge: operation({
    summary: 'Put a new edge in the place of the present one, without a lost connection',
    permission: 'server:operate',
    input: z.object({}),
    reply: z.object({ ok: z.boolean(), reason: z.string() }),
  }),
};

export type Standing = z.infer<typeof standingSchema>;
export type ServerInfo = z.infer<typeof serverInfoSchema>;
