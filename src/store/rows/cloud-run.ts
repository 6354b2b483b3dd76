import { z } from 'zod';
import type { CloudRunConfig } from '../../domain/cloud/run/config.ts';
import type { Same } from './parse.ts';

export const envPart = z.union([
  z.string(),
  z.strictObject({ secret: z.string(), version: z.string().optional() }),
  z.strictObject({ serviceUrl: z.string() }),
  z.strictObject({ port: z.literal(true) }),
]);

/** How a release runs on Cloud Run; strict, as everything that is stored. */
export const cloudRunSchema = z.strictObject({
  project: z.string(),
  region: z.string(),
  name: z.string(),
  public: z.boolean(),
  port: z.number(),
  memory: z.number(),
  cpu: z.number(),
  minInstances: z.number(),
  maxInstances: z.number(),
  timeoutS: z.number(),
  concurrency: z.number(),
  account: z.string(),
  sql: z.string().nullable(),
  network: z.strictObject({ name: z.string(), connector: z.string().nullable() }).nullable(),
  dockerfile: z.string(),
  context: z.string(),
  repository: z.string(),
  image: z.string().nullable(),
  env: z.record(z.string(), z.array(envPart)),
  secrets: z.array(z.strictObject({ variable: z.string(), id: z.string() })),
  names: z.record(z.string(), z.string()),
  labels: z.record(z.string(), z.string()),
});

true satisfies Same<z.infer<typeof cloudRunSchema>, CloudRunConfig>;
