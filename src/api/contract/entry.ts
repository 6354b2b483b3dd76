import { z } from 'zod';
import { name, scopeSchema } from './common.ts';
import { operation } from './operation.ts';

/** What the edge lets in, as clients of the API ask for it and see it. */

/** Services that are closed for maintenance. */
export const closedSchema = z.object({
  services: z.array(name),
  /** Who switched it; null: the file says so. */
  by: z.string().nullable(),
  /** Wall time, ms; null when the file says so. */
  since: z.number().nullable(),
});

export const entryOperations = {
  setMaintenance: operation({
    summary: 'Close services for maintenance, or open them again',
    permission: 'environment:operate',
    input: scopeSchema.extend({
      on: z.boolean(),
      /** Null: all. */
      services: z.array(name).nullable().default(null),
    }),
    reply: closedSchema,
  }),
};
