import { z } from 'zod';
import { RUN_STATES } from '../../domain/schedule/run.ts';

/**
 * Runs of scheduled services.
 *
 *   POST   /v1/runs                       RunRequest -> RunView    runs it now
 *   POST   /v1/runs/cancel                RunRequest -> RunView    asks it to end
 *   GET    /v1/runs?project&environment&service&limit              { runs: RunView[] }, newest first
 *   GET    /v1/runs/:service/:dueAt?project&environment            RunView
 */

const name = z.string().min(1).max(200);
const time = z.number().int();

export const runRequestSchema = z.object({ project: name, environment: name, service: name, by: name });

export const runViewSchema = z.object({
  /** The name of its job, for its log. */
  id: z.string(),
  service: z.string(),
  release: z.string().nullable(),
  /** The time of the schedule that it is for, or when somebody asked for it. */
  dueAt: time,
  /** Null: the schedule. */
  askedBy: z.string().nullable(),
  state: z.enum(RUN_STATES),
  startedAt: time.nullable(),
  endedAt: time.nullable(),
  reason: z.string(),
});

export const scheduleStatusSchema = z.object({
  at: z.array(z.string()),
  timeZone: z.string(),
  /** Null: never again, or not while it is down. */
  next: time.nullable(),
  running: runViewSchema.nullable(),
  /** The last one that is over, be it that it never began. */
  last: runViewSchema.nullable(),
});

export type RunRequest = z.infer<typeof runRequestSchema>;
export type RunView = z.infer<typeof runViewSchema>;
export type ScheduleStatus = z.infer<typeof scheduleStatusSchema>;
