import { z } from 'zod';

/** What `evenkeel cloud` says of resources. */

/** How a resource is, as it was seen. */
export const stateSchema = z.enum(['ready', 'changing', 'stopped', 'failed', 'missing', 'unknown']);

/** `kind/name`, such as `bucket/chat-staging-media`. */
const address = z.string();

const problem = z.object({
  code: z.string(),
  message: z.string(),
  next: z.string().nullable(),
  /** Whether the same again can help. */
  retryable: z.boolean(),
});

/** USD for a month, as the list prices have it; `high` null: nobody can say. `text`: as people read it, such as `$4.10 to 12.30`. */
const price = z.object({ low: z.number(), high: z.number().nullable(), text: z.string() });

/** Where all of it is. */
const place = {
  project: z.string(),
  environment: z.string(),
  cloudProject: z.string(),
  region: z.string(),
};

/** Kinds of which nothing is known, and why. */
const unknown = z.array(z.object({ kind: z.string(), problem }));

export const common = { address, problem, price, place, unknown };
