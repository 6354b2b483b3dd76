import { z } from 'zod';
import { time } from './common.ts';
import { operation } from './operation.ts';

/** Accounts elsewhere, by which one signs in. They are linked by pages, since a browser goes to their provider for it. */

const accountSchema = z
  .object({
    issuer: z.string(),
    /** As the issuer knows one. */
    subject: z.string(),
    /** Null: nobody signs in by this issuer any more. */
    provider: z.object({ id: z.string(), name: z.string() }).nullable(),
    linkedAt: time,
  })
  .meta({ id: 'Account' });

export const accountOperations = {
  listAccounts: operation({
    summary: 'The accounts elsewhere that one signs in with',
    permission: null,
    input: z.object({}),
    reply: z.object({
      accounts: z.array(accountSchema),
      /** Where one could link one: a browser opens `/sign-in/oidc/ID?link`. */
      providers: z.array(z.object({ id: z.string(), name: z.string() })),
    }),
  }),
  unlinkAccount: operation({
    summary: 'Sign in by an account no more; all other sessions end',
    permission: null,
    input: z.object({ issuer: z.string().max(2_000), subject: z.string().max(1_000) }),
    reply: z.object({ ended: z.number().int() }),
  }),
};
