import type { Kysely } from 'kysely';
import type { Rollout } from '../../domain/rollout/rollout.ts';
import { EvenkeelError } from '../../ports/errors.ts';
import type { CreateRollout, NewJournalEntry, RolloutQuery, SaveRollout, Serving } from '../../ports/store.ts';
import { type Database, flag } from '../rows/database.ts';
import { journalRow, readJournal } from '../rows/journal.ts';
import { isBlocking, readRollout, rolloutColumns } from '../rows/rollout.ts';
import { nextNumber } from './counters.ts';
import { listDeployments } from './deployments.ts';

export async function createRollout(
  db: Kysely<Database>,
  rollout: Rollout,
  entry: NewJournalEntry,
  basedOn: Serving[] = [],
): Promise<CreateRollout> {
  const active = await findBlocking(db, rollout);
  if (active !== null) return { created: false, active };
  const serving = basedOn.length === 0 ? [] : await listDeployments(db, rollout.project, rollout.environment);
  const currentOf = (service: string) => serving.find((each) => each.service === service)?.current ?? null;
  if (basedOn.some((each) => each.current !== currentOf(each.service))) return { created: false, active: null };
  const ordinal = await nextNumber(db, 'rollout');
  const row = { ...rolloutColumns(rollout), ordinal, journal_seq: 1, request_seq: 0 };
  await db.insertInto('rollouts').values(row).execute();
  const { project, environment } = rollout;
  const blocking = flag(isBlocking(rollout));
  const services = rollout.services.map(({ service }) => service);
  if (services.length > 0) {
    await db
      .insertInto('rollout_services')
      .values(services.map((service) => ({ rollout: rollout.id, project, environment, service, ordinal, blocking })))
      .execute();
  }
  await db
    .insertInto('journal')
    .values(journalRow(entry, { rollout: rollout.id, seq: 1, fence: rollout.fence }))
    .execute();
  return { created: true, rollout };
}

/** The unique index on blocking services says the same; this asks first, so that the answer can name the rollout. */
async function findBlocking(db: Kysely<Database>, rollout: Rollout): Promise<Rollout | null> {
  const services = rollout.services.map(({ service }) => service);
  if (services.length === 0) return null;
  const row = await db
    .selectFrom('rollouts')
    .innerJoin('rollout_services', 'rollout_services.rollout', 'rollouts.id')
    .selectAll('rollouts')
    .where('rollout_services.blocking', '=', 1)
    .where('rollout_services.project', '=', rollout.project)
    .where('rollout_services.environment', '=', rollout.environment)
    .where('rollout_services.service', 'in', services)
    .orderBy('rollouts.ordinal', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row === undefined ? null : readRollout(row);
}

export async function findRollout(db: Kysely<Database>, id: string): Promise<Rollout | null> {
  const row = await db.selectFrom('rollouts').selectAll().where('id', '=', id).executeTakeFirst();
  return row === undefined ? null : readRollout(row);
}

export async function listRollouts(db: Kysely<Database>, query: RolloutQuery): Promise<Rollout[]> {
  const { project, environment, service, within, limit, before } = query;
  const rows = await db
    .selectFrom('rollouts')
    .selectAll()
    .$if(project !== undefined, (q) => q.where('project', '=', project ?? ''))
    .$if(environment !== undefined, (q) => q.where('environment', '=', environment ?? ''))
    .$if(within !== undefined, (q) =>
      q.where((eb) =>
        eb.or(
          (within ?? []).map((each) =>
            eb.and([eb('project', '=', each.project), eb('environment', '=', each.environment)]),
          ),
        ),
      ),
    )
    .$if(query.unsettled === true, (q) => q.where('live', '=', 1))
    .$if(before !== undefined, (q) =>
      q.where('ordinal', '<', (eb) =>
        eb
          .selectFrom('rollouts')
          .select('ordinal')
          .where('id', '=', before ?? ''),
      ),
    )
    .$if(service !== undefined, (q) =>
      q.where('id', 'in', (eb) =>
        eb
          .selectFrom('rollout_services')
          .select('rollout')
          .where('service', '=', service ?? ''),
      ),
    )
    .orderBy('ordinal', 'desc')
    .$if(limit !== undefined, (q) => q.limit(limit ?? 0))
    .execute();
  return rows.map(readRollout);
}

export async function saveRollout(
  db: Kysely<Database>,
  rollout: Rollout,
  fence: number,
  entries: NewJournalEntry[],
): Promise<SaveRollout> {
  const saved = { ...rollout, fence, version: rollout.version + 1 };
  const { id, ...columns } = rolloutColumns(saved);
  const written = await db
    .updateTable('rollouts')
    .set((eb) => ({ ...columns, journal_seq: eb('journal_seq', '+', entries.length) }))
    .where('id', '=', id)
    .where('version', '=', rollout.version)
    .where('fence', '<=', fence)
    .returning('journal_seq')
    .executeTakeFirst();
  if (written === undefined) return { saved: false, reason: await whyNot(db, id, fence) };
  const blocking = flag(isBlocking(saved));
  await db
    .updateTable('rollout_services')
    .set({ blocking })
    .where('rollout', '=', id)
    .where('blocking', '<>', blocking)
    .execute();
  const before = written.journal_seq - entries.length;
  const lines = entries.map((entry, index) => journalRow(entry, { rollout: id, seq: before + index + 1, fence }));
  if (lines.length > 0) await db.insertInto('journal').values(lines).execute();
  return { saved: true, rollout: saved };
}

/** A higher fence is named first: whoever learns of it stops acting, whereas a version is only read again. */
async function whyNot(db: Kysely<Database>, id: string, fence: number): Promise<'version' | 'fence'> {
  const row = await db.selectFrom('rollouts').select('fence').where('id', '=', id).executeTakeFirst();
  if (row === undefined) throw rolloutNotFound(id);
  return row.fence > fence ? 'fence' : 'version';
}

export async function listJournal(db: Kysely<Database>, rollout: string) {
  const rows = await db.selectFrom('journal').selectAll().where('rollout', '=', rollout).orderBy('seq').execute();
  return rows.map(readJournal);
}

export function rolloutNotFound(id: string): EvenkeelError {
  return new EvenkeelError({
    code: 'rollout-not-found',
    what: `There is no rollout ${id}.`,
    next: 'evenkeel rollouts',
  });
}
