import { z } from 'zod';
import { name, next, page, part, scopeSchema, time } from './common.ts';
import { configChangesSchema } from './comparison.ts';
import { operation } from './operation.ts';

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

const releaseDetailSchema = releaseViewSchema
  .extend({
    /** What it is compared with: what served before it, or the one before it. Null: it is the first. */
    against: z
      .object({
        release: z.string(),
        label: z.string().nullable(),
        commit: z.string().nullable(),
        artifact: z.string().nullable(),
        configDigest: z.string(),
      })
      .nullable(),
    sameArtifact: z.boolean(),
    /** Keys of the configuration by their names; values are told nowhere. */
    config: configChangesSchema,
    /** Secrets that had another value when it was begun. */
    secrets: z.array(z.string()),
    /** The rollouts that moved something to it, the newest first. */
    rollouts: z.array(
      z.object({
        id: name,
        kind: z.enum(['deploy', 'rollback']),
        by: z.string(),
        at: time,
        promotedAt: time.nullable(),
        end: z.enum(['complete', 'aborted', 'failed', 'rolled-back']).nullable(),
      }),
    ),
  })
  .meta({ id: 'Release' });

export const releaseOperations = {
  getRelease: operation({
    summary: 'One release, and what changed in it against the one before: commit, files, and configuration by key',
    permission: 'environment:read',
    input: scopeSchema.extend({
      release: part,
      /** Another one to compare it with, of the same service. */
      against: part.optional(),
    }),
    reply: releaseDetailSchema,
  }),
  listReleases: operation({
    summary: 'Releases of an environment, the newest first, and which of them can be gone back to',
    permission: 'environment:read',
    input: scopeSchema.extend({ service: part.optional(), ...page(1000, 50) }),
    reply: z.object({ releases: z.array(releaseViewSchema), next }),
  }),
};

export type ReleaseDetail = z.infer<typeof releaseDetailSchema>;
export type ReleaseView = z.infer<typeof releaseViewSchema>;
