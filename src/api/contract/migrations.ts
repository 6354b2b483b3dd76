import { z } from 'zod';

/** What the new migrations of a project mean for what serves. */
const findingSchema = z.object({
  /** Stable, such as `drop-column`. */
  code: z.string(),
  severity: z.enum(['breaking', 'warning']),
  file: z.string(),
  /** 0: the whole file. */
  line: z.number().int(),
  statement: z.string(),
  what: z.string(),
  why: z.string(),
  next: z.string(),
  /** Where the running release names it: a hint. */
  uses: z.array(z.object({ file: z.string(), line: z.number().int(), text: z.string() })),
});

export const migrationReportSchema = z.object({
  service: z.string(),
  running: z.string(),
  files: z.object({ added: z.number().int(), read: z.number().int() }),
  breaking: z.enum(['refuse', 'warn', 'off']),
  findings: z.array(findingSchema),
});

export type MigrationReportView = z.infer<typeof migrationReportSchema>;
