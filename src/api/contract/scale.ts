import { z } from 'zod';

/**
 * How many instances a service has.
 *
 *   GET    /v1/scale?project&environment&service                   ScaleView
 *   POST   /v1/scale                      ScaleRequest -> ScaleView
 */

const name = z.string().min(1).max(200);
const count = z.number().int().min(1).max(100);
const bounds = z.object({ min: count, max: count }).refine(({ min, max }) => min <= max, { error: 'min is above max' });

export const scaleRequestSchema = z.object({
  project: name,
  environment: name,
  service: name,
  /** Null: as the file says. */
  bounds: bounds.nullable(),
  by: name,
});

export const scaleViewSchema = z.object({
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

export type ScaleRequest = z.infer<typeof scaleRequestSchema>;
export type ScaleView = z.infer<typeof scaleViewSchema>;
