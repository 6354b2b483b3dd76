import { z } from 'zod';
import { name, part } from './common.ts';
import { operation } from './operation.ts';

/** Of configurations only the names of keys are told, of secrets only their names: never a value. */

export const configChangesSchema = z.object({
  added: z.array(z.string()),
  removed: z.array(z.string()),
  changed: z.array(z.string()),
});

const sideSchema = z.object({
  /** Null: it was never promoted there. */
  release: z.string().nullable(),
  label: z.string().nullable(),
  commit: z.string().nullable(),
  dirty: z.boolean(),
  artifact: z.string().nullable(),
  configDigest: z.string().nullable(),
});

const comparisonSchema = z
  .object({
    project: name,
    environments: z.array(name),
    services: z.array(
      z.object({
        service: name,
        /** In the order of `environments`; null: the service is not there at all. */
        sides: z.array(sideSchema.nullable()),
        /** Everywhere the same files. */
        sameArtifact: z.boolean(),
        sameConfig: z.boolean(),
        /** What is different in each from the first one; the first one's is empty. */
        config: z.array(configChangesSchema),
      }),
    ),
    /** Null: the caller may not read the names of all of them. */
    secrets: z
      .array(
        z.object({
          name,
          /** In the order of `environments`: whether it is set there. */
          set: z.array(z.boolean()),
        }),
      )
      .nullable(),
  })
  .meta({ id: 'Comparison' });

export const comparisonOperations = {
  compareEnvironments: operation({
    summary: 'What differs between environments of a project: releases, configuration by key, secrets by name',
    permission: 'environment:read',
    perItem: true,
    input: z.object({
      project: part,
      /** Two to six, with commas between them. */
      environments: z
        .string()
        .regex(/^[^,\s]{1,200}(,[^,\s]{1,200}){1,5}$/, { error: 'two to six names, such as staging,production' }),
    }),
    reply: comparisonSchema,
  }),
};

export type Comparison = z.infer<typeof comparisonSchema>;
