import { z } from 'zod';

const releaseViewSchema = z.object({
  release: z.string(),
  service: z.string(),
  environment: z.string(),
  label: z.string().nullable(),
  commit: z.string().nullable(),
  dirty: z.boolean(),
  artifact: z.string().nullable(),
  configDigest: z.string(),
  createdBy: z.string(),
  createdAt: z.number().int(),
  /** `current`, `former` (hot), `kept` (its artifact is there), `gone`. */
  state: z.enum(['current', 'former', 'kept', 'gone']),
  /** The release whose contract took away what this one may need: it cannot be gone back to. Null: it can. */
  behindContract: z.string().nullable().optional(),
});

export type ReleaseView = z.infer<typeof releaseViewSchema>;
