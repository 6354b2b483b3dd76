import { z } from 'zod';
import { RUN_STATES, type Run } from '../../domain/schedule/run.ts';
import type { RunRow } from './database.ts';
import { parseValue } from './parse.ts';

const stateSchema = z.enum(RUN_STATES);

export const runRow = (run: Run, fence: number): RunRow => ({
  project: run.project,
  environment: run.environment,
  service: run.service,
  due_at: run.dueAt,
  asked_by: run.askedBy,
  release: run.release,
  state: run.state,
  started_at: run.startedAt,
  ended_at: run.endedAt,
  reason: run.reason,
  cancelled_by: run.cancelledBy,
  fence,
});

export const readRun = (row: RunRow): Run => ({
  project: row.project,
  environment: row.environment,
  service: row.service,
  dueAt: row.due_at,
  askedBy: row.asked_by,
  release: row.release,
  state: parseValue(stateSchema, row.state, { table: 'runs', id: `${row.service}/${row.due_at}` }),
  startedAt: row.started_at,
  endedAt: row.ended_at,
  reason: row.reason,
  cancelledBy: row.cancelled_by,
});
