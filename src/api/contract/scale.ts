import { z } from 'zod';
import { part, scopeSchema } from './common.ts';
import { operation } from './operation.ts';

const count = z.number().int().min(1).max(100);
const bounds = z.object({ min: count, max: count }).refine(({ min, max }) => min <= max, { error: 'min is above max' });

const serviceScope = scopeSchema.extend({ service: part });

const scaleViewSchema = z.object({
  service: z.string(),
  /** As many as there ought to be now. */
  instances: z.number().int(),
  bounds: z.object({ min: z.number().int(), max: z.number().int() }),
  /** What the file says. */
  file: z.object({ min: z.number().int(), max: z.number().int() }),
  /** Who set it by hand; null: nobody, or the file has changed since. */
  setBy: z.string().nullable(),
  /** The last changes, newest first. */
  changes: z.array(
    z.object({ at: z.number().int(), from: z.number().int().nullable(), to: z.number().int(), reason: z.string() }),
  ),
});

export const scaleOperations = {
  getScale: operation({
    summary: 'How many instances a service has, and why',
    permission: 'environment:read',
    input: serviceScope,
    reply: scaleViewSchema,
  }),
  setScale: operation({
    summary: 'Set the number of instances by hand, or leave it to the file again',
    permission: 'environment:operate',
    input: serviceScope.extend({
      /** Null: as the file says. */
      bounds: bounds.nullable(),
    }),
    reply: scaleViewSchema,
  }),
};

export type ScaleView = z.infer<typeof scaleViewSchema>;
