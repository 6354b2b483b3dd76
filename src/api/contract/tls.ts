import { z } from 'zod';

/** Milliseconds since 1970. */
const time = z.number().int();

/** TLS of an environment, as the edge serves it. */
export const tlsStatusSchema = z.object({
  port: z.number().int(),
  /** Null: the edge does not answer, or nothing of the environment has routes yet. */
  serves: z.boolean().nullable(),
  certificates: z.array(
    z.object({
      cert: z.string(),
      names: z.array(z.string()),
      notAfter: time.nullable(),
      /** Whole; negative once it has expired. */
      daysLeft: z.number().int().nullable(),
    }),
  ),
  /** What somebody should do something about, in words. */
  concerns: z.array(z.string()),
  /** Certificates that evenkeel gets and renews; absent: they are given. */
  issuing: z
    .array(
      z.object({
        host: z.string(),
        /** URL of the issuer's directory. */
        issuer: z.string(),
        /** `failing` may well have one that works: see `notAfter`. */
        state: z.enum(['valid', 'ordering', 'waiting', 'failing']),
        detail: z.string(),
        next: z.string().nullable(),
        notAfter: time.nullable(),
        /** What happened, newest last. */
        story: z.array(z.object({ at: time, text: z.string() })),
      }),
    )
    .optional(),
});

export type TlsStatus = z.infer<typeof tlsStatusSchema>;
