import { z } from 'zod';
import { scopeSchema } from './contract.ts';

/** What CLI and controller say to each other about secrets. Values go to the controller, and never come back. */

const name = z.string().min(1).max(200);
const time = z.number().int();

const secretName = z.string().regex(/^[A-Z][A-Z0-9_]{0,99}$/);
const secretValue = z.string().max(65_536);
export const secretViewSchema = z.object({
  name,
  updatedAt: time,
  setBy: z.string().nullable(),
  /** Services whose serving release uses it, or whose routes ask for it as a password. */
  usedBy: z.array(name),
  /** Those among them that serve with a former value, until a rollout. */
  behind: z.array(name),
});
/** All of them or none. `name` and `value` are the one secret that an older CLI sends. */
export const secretPutSchema = scopeSchema.extend({
  by: name.optional(),
  secrets: z.record(secretName, secretValue).optional(),
  name: secretName.optional(),
  value: secretValue.optional(),
});
export const secretNameSchema = scopeSchema.extend({ name: secretName });
export const secretsSetSchema = z.object({
  changed: z.array(name),
  /** Their value was this already. */
  unchanged: z.array(name),
  behind: z.array(name),
});

export type SecretView = z.infer<typeof secretViewSchema>;
export type SecretsSet = z.infer<typeof secretsSetSchema>;
