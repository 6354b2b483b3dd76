import { z } from 'zod';

/** Lines of logs, as the API streams them. */

/** A line of what an instance, a job or the edge wrote. */
export interface LogLine {
  /** Wall time, ms; null when it is not known. */
  at: number | null;
  service: string;
  release: string | null;
  instance: string | null;
  line: string;
}

/** A line of the access log; see docs/entry.md. Lines may hold more. */
export const accessLineSchema = z.object({
  at: z.string(),
  client: z.string(),
  method: z.string(),
  host: z.string().nullable(),
  path: z.string(),
  query: z.string().optional(),
  status: z.number(),
  bytes: z.number(),
  ms: z.number(),
  service: z.string().nullable(),
  release: z.string().nullable(),
  instance: z.string().nullable(),
  refusedBy: z.string().optional(),
  end: z.string().optional(),
});
