import { z } from 'zod';
import { next, page, part, scopeSchema, time } from './common.ts';
import { operation } from './operation.ts';
import { RUN_STATES } from '../../domain/schedule/run.ts';

/** Runs of scheduled services. */

const serviceScope = scopeSchema.extend({ service: part });

const runViewSchema = z.object({
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

export const runOperations = {
  listRuns: operation({
    summary: 'Runs of scheduled services, the newest first',
    permission: 'environment:read',
    input: scopeSchema.extend({ service: part.optional(), ...page(500, 20) }),
    reply: z.object({ runs: z.array(runViewSchema), next }),
  }),
  getRun: operation({
    summary: 'One run',
    permission: 'environment:read',
    input: serviceScope.extend({ dueAt: time }),
    reply: runViewSchema,
  }),
  startRun: operation({
    summary: 'Run a scheduled service now',
    permission: 'environment:operate',
    input: serviceScope,
    reply: runViewSchema,
  }),
  cancelRun: operation({
    summary: 'Ask the run that is under way to end',
    permission: 'environment:operate',
    input: serviceScope,
    reply: runViewSchema,
  }),
};

export type RunView = z.infer<typeof runViewSchema>;
export type ScheduleStatus = z.infer<typeof scheduleStatusSchema>;
