import { z } from 'zod';

/**
 * What the edge is told to answer to whoever issues certificates, over its control socket:
 *
 *   POST /challenges   ChallengeCommand -> ChallengeReply
 *
 * A command adds and removes by token and touches no other, so that commands may come twice and in any order.
 */

const common = {
  host: z.string().min(1).max(253),
  /** From the issuer, and nobody can guess it; also the key by which it is removed. */
  token: z.string().regex(/^[A-Za-z0-9_-]{1,200}$/),
  /** Wall time, ms: forgotten then, should nobody remove it. */
  until: z.number(),
};

export const challengeSchema = z.discriminatedUnion('type', [
  /** Asked at `/.well-known/acme-challenge/TOKEN`, answered with `answer`. */
  z.object({ type: z.literal('http-01'), ...common, answer: z.string().min(1).max(500) }),
  /** Asked by a handshake for `acme-tls/1`, answered with a certificate made for it, in PEM form. */
  z.object({
    type: z.literal('tls-alpn-01'),
    ...common,
    certificate: z.object({ cert: z.string().max(8_192), key: z.string().max(8_192) }),
  }),
]);

export const challengeCommandSchema = z.object({
  add: z.array(challengeSchema).max(100),
  remove: z.array(z.string()).max(100),
});

export const challengeReplySchema = z.object({
  /** Null: it is answered from now on. */
  refused: z.object({ reason: z.enum(['invalid', 'superseded', 'full']), detail: z.string() }).nullable(),
});

export type Challenge = z.infer<typeof challengeSchema>;
export type ChallengeCommand = z.infer<typeof challengeCommandSchema>;
export type ChallengeReply = z.infer<typeof challengeReplySchema>;
