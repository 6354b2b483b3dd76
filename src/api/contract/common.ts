import { z } from 'zod';

/** What many messages of the API are made of. */

export const name = z.string().min(1).max(200);

/**
 * What files and folders are called after: a project, an environment, a service, an instance. No way leads through it to
 * another one.
 */
export const part = name.regex(/^(?!\.{1,2}$)[^/\\\p{Cc}]+$/u, { error: 'a name, without / and \\' });

/** Milliseconds since 1970. */
export const time = z.number().int();

export const scopeSchema = z.object({ project: part, environment: part });

export type Scope = z.infer<typeof scopeSchema>;

/** For lists: how many, and after which one to go on. */
export const page = (most: number, usual: number) => ({
  limit: z.number().int().min(1).max(most).default(usual),
  /** What `next` of the page before said. */
  before: z.string().max(200).optional(),
});

/** Of a page: where the next one begins; null: there is none. */
export const next = z.string().nullable();
