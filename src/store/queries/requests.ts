import type { Kysely } from 'kysely';
import type { OperatorRequest } from '../../domain/rollout/rollout.ts';
import type { NewRequest } from '../../ports/store.ts';
import type { Database } from '../rows/database.ts';
import { readRequest, requestRow } from '../rows/journal.ts';
import { rolloutNotFound } from './rollouts.ts';

/** The sequence is counted on the rollout's row, whose lock keeps two that ask at once apart. */
export async function addRequest(db: Kysely<Database>, request: NewRequest): Promise<OperatorRequest> {
  const counted = await db
    .updateTable('rollouts')
    .set((eb) => ({ request_seq: eb('request_seq', '+', 1) }))
    .where('id', '=', request.rollout)
    .returning('request_seq')
    .executeTakeFirst();
  if (counted === undefined) throw rolloutNotFound(request.rollout);
  const row = requestRow(request, counted.request_seq);
  await db.insertInto('requests').values(row).execute();
  return readRequest(row);
}

export async function listRequests(db: Kysely<Database>, rollout: string, afterSeq: number) {
  const rows = await db
    .selectFrom('requests')
    .selectAll()
    .where('rollout', '=', rollout)
    .where('seq', '>', afterSeq)
    .orderBy('seq')
    .execute();
  return rows.map(readRequest);
}
