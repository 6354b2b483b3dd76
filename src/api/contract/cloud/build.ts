import { z } from 'zod';
import { common } from './resource.ts';

/** `evenkeel cloud build --json`: lines of logs while it goes on, then the result. */
const buildLineSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('line'), service: z.string(), text: z.string() }),
  z.object({ type: z.literal('step'), service: z.string(), text: z.string() }),
]);

const buildResultSchema = z.object({
  type: z.literal('result'),
  exit: z.union([z.literal(0), z.literal(2), z.literal(130)]),
  built: z.array(
    z.object({
      service: z.string(),
      /** With the tag of its time. */
      image: z.string(),
      /** Of its time, and `latest`. */
      tags: z.array(z.string()),
      digest: z.string().nullable(),
      logUrl: z.string().nullable(),
    }),
  ),
  failed: z.array(z.object({ service: z.string(), problem: common.problem })),
  ms: z.number(),
});

export const cloudBuildSchema = z.union([buildLineSchema, buildResultSchema]);

export type CloudBuildLine = z.infer<typeof buildLineSchema>;
export type CloudBuildResult = z.infer<typeof buildResultSchema>;
