import { z } from 'zod';
import { name, scopeSchema, time } from './common.ts';
import { operation } from './operation.ts';

/** What CLI and controller say to each other about secrets. Values go to the controller, and never come back. */

const secretName = z.string().regex(/^[A-Z][A-Z0-9_]{0,99}$/);
const secretValue = z.string().max(65_536);
const secretViewSchema = z.object({
  name,
  updatedAt: time,
  setBy: z.string().nullable(),
  /** Services whose serving release uses it, or whose routes ask for it as a password. */
  usedBy: z.array(name),
  /** Those among them that serve with a former value, until a rollout. */
  behind: z.array(name),
});
const secretsSetSchema = z.object({
  changed: z.array(name),
  /** Their value was this already. */
  unchanged: z.array(name),
  behind: z.array(name),
});

export const secretOperations = {
  listSecrets: operation({
    summary: 'Names and ages of secrets, and who uses them; never a value',
    permission: 'secrets:read',
    input: scopeSchema,
    reply: z.object({ secrets: z.array(secretViewSchema) }),
  }),
  setSecrets: operation({
    summary: 'Store values, all of them or none',
    permission: 'secrets:write',
    input: scopeSchema.extend({ secrets: z.record(secretName, secretValue) }),
    reply: secretsSetSchema,
  }),
  removeSecret: operation({
    summary: 'Forget a secret',
    permission: 'secrets:write',
    input: scopeSchema.extend({ name: secretName }),
    reply: z.object({ removed: z.boolean() }),
  }),
};

export type SecretView = z.infer<typeof secretViewSchema>;
export type SecretsSet = z.infer<typeof secretsSetSchema>;
