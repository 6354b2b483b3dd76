import { z } from 'zod';
import type { JournalEntry, OperatorRequest } from '../../domain/rollout/rollout.ts';
import type { NewJournalEntry, NewRequest } from '../../ports/store.ts';
import { flag, type JournalRow, type RequestRow } from './database.ts';
import { formatJson, parseJson, parseValue, type Same } from './parse.ts';
import { endSchema, phaseSchema } from './rollout.ts';

const placeSchema = z.union([phaseSchema, endSchema]);
const detailSchema = z.record(z.string(), z.unknown());
const kindSchema = z.enum(['promote', 'pause', 'resume', 'abort', 'rollback', 'approve', 'reject', 'supersede']);
true satisfies Same<z.infer<typeof placeSchema>, JournalEntry['to']>;
true satisfies Same<z.infer<typeof kindSchema>, OperatorRequest['kind']>;

export function journalRow(entry: NewJournalEntry, at: { rollout: string; seq: number; fence: number }): JournalRow {
  return {
    rollout: at.rollout,
    seq: at.seq,
    at: entry.at,
    from_state: entry.from,
    to_state: entry.to,
    reason: entry.reason,
    detail: formatJson(detailSchema, entry.detail, { table: 'journal', id: `${at.rollout}/${at.seq}` }),
    fence: at.fence,
  };
}

export function readJournal(row: JournalRow): JournalEntry {
  const name = { table: 'journal', id: `${row.rollout}/${row.seq}` };
  return {
    rollout: row.rollout,
    seq: row.seq,
    at: row.at,
    from: parseValue(placeSchema.nullable(), row.from_state, name),
    to: parseValue(placeSchema, row.to_state, name),
    reason: row.reason,
    detail: parseJson(detailSchema, row.detail, name),
    fence: row.fence,
  };
}

export function requestRow(request: NewRequest, seq: number): RequestRow {
  return {
    rollout: request.rollout,
    seq,
    kind: request.kind,
    requested_by: request.by,
    human: request.human ?? null,
    at: request.at,
    comment: request.comment,
    force: flag(request.force),
  };
}

export function readRequest(row: RequestRow): OperatorRequest {
  return {
    seq: row.seq,
    rollout: row.rollout,
    kind: parseValue(kindSchema, row.kind, { table: 'requests', id: `${row.rollout}/${row.seq}` }),
    by: row.requested_by,
    human: row.human,
    at: row.at,
    comment: row.comment,
    force: row.force === 1,
  };
}
