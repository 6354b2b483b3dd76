import { z } from 'zod';
import { EVERYTHING, patternSchema } from '../../domain/access/patterns.ts';
import { loginSchema } from '../../domain/access/people.ts';
import { name, time } from './common.ts';
import { operation } from './operation.ts';
import { permissionSchema } from './roles.ts';

/** By which programs ask: a token may what its owner may at that moment, cut by what it is made for. */

const tokenSchema = z
  .object({
    id: z.string(),
    /** Unique among those of its owner. */
    name: z.string(),
    /** By which people recognise it; no part of the secret. */
    prefix: z.string(),
    owner: z.object({ id: z.string(), login: z.string() }),
    /** Null: wherever its owner is a member, and the server. */
    organization: z.string().nullable(),
    /** Null: all of its owner's. */
    permissions: z.array(permissionSchema).nullable(),
    project: z.string(),
    environment: z.string(),
    createdAt: time,
    /** Null: never. */
    expiresAt: time.nullable(),
    /** Last, to the minute; null: never. */
    usedAt: time.nullable(),
    /** From which address; null: never, or it is not for whoever asks. */
    usedFrom: z.string().nullable(),
    /** Whether whoever asks could revoke it. */
    mayRevoke: z.boolean(),
  })
  .meta({ id: 'Token' });

/** Whose; only whoever has the local token says so. Absent: one's own. */
const user = loginSchema.optional();

export const tokenOperations = {
  listTokens: operation({
    summary: 'One’s own tokens, those that have expired lately among them; with the local token: everybody’s',
    permission: null,
    input: z.object({ user }),
    reply: z.object({ tokens: z.array(tokenSchema) }),
  }),
  createToken: operation({
    summary: 'Make a token; its text is shown this once',
    permission: null,
    shownOnce: true,
    input: z.object({
      name: z.string().trim().min(1).max(100),
      organization: name.nullable().default(null),
      permissions: z.array(permissionSchema).min(1).nullable().default(null),
      project: patternSchema.default(EVERYTHING),
      environment: patternSchema.default(EVERYTHING),
      expiresAt: time.nullable().default(null),
      user,
    }),
    reply: z.object({ token: tokenSchema, text: z.string() }),
  }),
  revokeToken: operation({
    summary: 'End a token: one’s own, or one of an organization whose tokens one manages',
    permission: null,
    input: z.object({
      /** Its id. */
      token: name,
    }),
    reply: z.object({}),
  }),
  listOrganizationTokens: operation({
    summary: 'The tokens that can do something in an organization',
    permission: 'tokens:manage',
    input: z.object({ organization: name }),
    reply: z.object({ tokens: z.array(tokenSchema) }),
  }),
};

export type TokenView = z.infer<typeof tokenSchema>;
