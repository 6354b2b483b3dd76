import { z } from 'zod';

/** How the API refuses: `application/problem+json` (RFC 9457), with what errors of evenkeel say beside it. */
export const problemSchema = z
  .object({
    /** `urn:evenkeel:problem:` and the code. */
    type: z.string(),
    /** What happened. */
    title: z.string(),
    status: z.number().int(),
    /** Why, where that is known. */
    detail: z.string().optional(),
    /** Stable. */
    code: z.string(),
    where: z.string().nullable(),
    /** What to do about it. */
    next: z.string().nullable(),
    /** Whether the same request can help when it is made again. */
    retryable: z.boolean(),
    /** What a command ends with. */
    exit: z.union([z.literal(1), z.literal(2), z.literal(3)]),
  })
  .meta({ id: 'Problem' });

export type Problem = z.infer<typeof problemSchema>;
