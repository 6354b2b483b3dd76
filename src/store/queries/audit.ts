import { createHash } from 'node:crypto';
import type { Kysely } from 'kysely';
import { type Digest, GENESIS, link } from '../../domain/audit/chain.ts';
import type { Anchor, AuditAct, AuditContent, AuditEntry } from '../../domain/audit/entry.ts';
import { checkpointOf } from '../../domain/audit/retention.ts';
import type { AuditFilter, AuditStore } from '../../ports/audit-store.ts';
import { auditRow, readAudit } from '../rows/audit.ts';
import type { Database } from '../rows/database.ts';
import { nextNumber } from './counters.ts';

type Db = Kysely<Database>;

const sha256: Digest = (text) => createHash('sha256').update(text).digest('hex');

export async function auditHead(db: Db): Promise<Anchor | null> {
  const row = await db.selectFrom('audit').select(['seq', 'hash']).orderBy('seq', 'desc').limit(1).executeTakeFirst();
  return row === undefined ? null : { seq: row.seq, hash: row.hash };
}

/** Numbers are drawn from a counter: where somebody removed the last entries, the next one shows that they were there. */
export async function appendAudit(db: Db, contents: readonly AuditContent[]): Promise<Anchor | null> {
  let head = await auditHead(db);
  const known = await idsAmong(
    db,
    contents.map(({ id }) => id),
  );
  for (const content of contents) {
    if (known.has(content.id)) continue;
    known.add(content.id);
    const seq = await nextNumber(db, 'audit');
    const entry = link({ seq: seq - 1, hash: head?.hash ?? GENESIS }, content, sha256);
    await db.insertInto('audit').values(auditRow(entry)).execute();
    head = entry;
  }
  return head === null ? null : { seq: head.seq, hash: head.hash };
}

async function idsAmong(db: Db, ids: readonly string[]): Promise<Set<string>> {
  const known = new Set<string>();
  for (let from = 0; from < ids.length; from += 500) {
    const some = ids.slice(from, from + 500);
    for (const { id } of await db.selectFrom('audit').select('id').where('id', 'in', some).execute()) known.add(id);
  }
  return known;
}

export async function listAudit(
  db: Db,
  { after, limit, ...filter }: AuditFilter & { after: number; limit: number },
): Promise<AuditEntry[]> {
  const rows = await matching(db, filter).where('audit.seq', '>', after).orderBy('audit.seq').limit(limit).execute();
  return rows.map(readAudit);
}

export async function listActs(
  db: Db,
  { before, limit, result, ...filter }: Parameters<AuditStore['auditActs']>[0],
): Promise<AuditAct[]> {
  const rows = await matching(db, filter)
    .where('audit.kind', 'in', ['asked', 'checkpoint'])
    .$if(before !== undefined, (q) => q.where('audit.seq', '<', before ?? 0))
    .$if(result !== undefined, (q) =>
      q
        .leftJoin('audit as answer', 'answer.about', 'audit.id')
        .where((eb) =>
          result === 'unknown'
            ? eb.and([eb('answer.seq', 'is', null), eb('audit.result', 'is', null)])
            : eb.or([eb('answer.result', '=', result ?? ''), eb('audit.result', '=', result ?? '')]),
        ),
    )
    .orderBy('audit.seq', 'desc')
    .limit(limit)
    .execute();
  const asked = rows.map(readAudit);
  if (asked.length === 0) return [];
  const ids = asked.map(({ id }) => id);
  const found = await db.selectFrom('audit').selectAll().where('about', 'in', ids).orderBy('seq').execute();
  const answers = new Map(found.map((row) => [row.about, readAudit(row)]));
  return asked.map((entry) => ({ asked: entry, answered: answers.get(entry.id) ?? null }));
}

const matching = (db: Db, { who, operation, organization, project, environment, from, to, within }: AuditFilter) =>
  db
    .selectFrom('audit')
    .selectAll('audit')
    .$if(who !== undefined, (q) => q.where('audit.who', '=', who ?? ''))
    .$if(operation !== undefined, (q) => q.where('audit.operation', '=', operation ?? ''))
    .$if(organization !== undefined, (q) => q.where('audit.organization', '=', organization ?? ''))
    .$if(project !== undefined, (q) => q.where('audit.project', '=', project ?? ''))
    .$if(environment !== undefined, (q) => q.where('audit.environment', '=', environment ?? ''))
    .$if(from !== undefined, (q) => q.where('audit.at', '>=', from ?? 0))
    .$if(to !== undefined, (q) => q.where('audit.at', '<', to ?? 0))
    .$if(within !== undefined, (q) =>
      q.where((eb) =>
        eb.or([
          // An empty list is no SQL; no entry has this number.
          eb('audit.seq', '<', 0),
          ...(within?.organizations.length ? [eb('audit.organization', 'in', [...within.organizations])] : []),
          ...(within?.rest === true ? [eb('audit.organization', 'is', null)] : []),
        ]),
      ),
    );

export async function cutAudit(
  db: Db,
  { before, ...checkpoint }: Parameters<AuditStore['cutAudit']>[0],
): Promise<{ cut: number; head: Anchor | null }> {
  const head = await auditHead(db);
  const { kept } = await db
    .selectFrom('audit')
    .select((eb) => eb.fn.min('seq').as('kept'))
    .where('at', '>=', before)
    .executeTakeFirstOrThrow();
  // Whatever is kept follows what is cut: a clock that was set back makes no holes.
  const last = await db
    .selectFrom('audit')
    .select(['seq', 'hash'])
    .$if(kept !== null, (q) => q.where('seq', '<', kept))
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (last === undefined) return { cut: 0, head };
  const now = await appendAudit(db, [checkpointOf({ seq: last.seq, hash: last.hash }, checkpoint)]);
  const { numDeletedRows } = await db.deleteFrom('audit').where('seq', '<=', last.seq).executeTakeFirstOrThrow();
  return { cut: Number(numDeletedRows), head: now };
}
