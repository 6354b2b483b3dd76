import type { Kysely } from 'kysely';
import type { Run, ScheduleMark } from '../../domain/schedule/run.ts';
import type { RunQuery, RunStore, SaveRuns } from '../../ports/run-store.ts';
import type { Database } from '../rows/database.ts';
import { readRun, runRow } from '../rows/run.ts';

type Db = Kysely<Database>;
type Service = { project: string; environment: string; service: string };

const CONTESTED: SaveRuns = { saved: false, reason: 'contested' };
const FENCED: SaveRuns = { saved: false, reason: 'fence' };

export async function scheduleMarks(db: Db, project: string, environment: string): Promise<ScheduleMark[]> {
  const rows = await db
    .selectFrom('schedules')
    .selectAll()
    .where('project', '=', project)
    .where('environment', '=', environment)
    .orderBy('service')
    .execute();
  return rows.map(({ service, spec, through }) => ({ service, spec, through }));
}

/** Nothing is written before all of it is known to be possible: a refusal is an answer, and undoes nothing. */
export async function decideRuns(
  db: Db,
  { project, environment, service }: Service,
  { from, mark, runs }: Parameters<RunStore['decideRuns']>[1],
  fence: number,
): Promise<SaveRuns> {
  const now = await db
    .selectFrom('schedules')
    .selectAll()
    .where('project', '=', project)
    .where('environment', '=', environment)
    .where('service', '=', service)
    .executeTakeFirst();
  if (now !== undefined && now.fence > fence) return FENCED;
  if ((now?.spec ?? null) !== (from?.spec ?? null) || (now?.through ?? null) !== (from?.through ?? null))
    return CONTESTED;
  const there = await ofService(db, { project, environment, service })
    .where((eb) => eb.or([eb('state', '=', 'running'), eb('due_at', 'in', [-1, ...runs.map((each) => each.dueAt)])]))
    .execute();
  const fresh = runs.filter((each) => !there.some((row) => row.due_at === each.dueAt));
  if (fresh.some((each) => each.state === 'running') && there.some((row) => row.state === 'running')) return CONTESTED;
  if (mark === null) {
    await db
      .deleteFrom('schedules')
      .where('project', '=', project)
      .where('environment', '=', environment)
      .where('service', '=', service)
      .execute();
  } else {
    const values = { spec: mark.spec, through: mark.through, fence };
    await db
      .insertInto('schedules')
      .values({ project, environment, service, ...values })
      .onConflict((conflict) => conflict.columns(['project', 'environment', 'service']).doUpdateSet(values))
      .execute();
  }
  if (fresh.length > 0)
    await db
      .insertInto('runs')
      .values(fresh.map((each) => runRow(each, fence)))
      .execute();
  return { saved: true };
}

export async function addRun(db: Db, run: Run): Promise<Run | null> {
  const rival = await ofService(db, run)
    .where((eb) => eb.or([eb('state', '=', 'running'), eb('due_at', '=', run.dueAt)]))
    .executeTakeFirst();
  if (rival !== undefined) return null;
  await db.insertInto('runs').values(runRow(run, 0)).execute();
  return run;
}

export async function cancelRun(db: Db, scope: Service, by: string): Promise<Run | null> {
  await db
    .updateTable('runs')
    .set({ cancelled_by: by })
    .where('project', '=', scope.project)
    .where('environment', '=', scope.environment)
    .where('service', '=', scope.service)
    .where('state', '=', 'running')
    .where('cancelled_by', 'is', null)
    .execute();
  const row = await ofService(db, scope).where('state', '=', 'running').executeTakeFirst();
  return row === undefined ? null : readRun(row);
}

export async function saveRun(db: Db, run: Run, fence: number): Promise<SaveRuns> {
  const row = await ofService(db, run).where('due_at', '=', run.dueAt).executeTakeFirst();
  if (row === undefined || row.state !== 'running') return CONTESTED;
  if (row.fence > fence) return FENCED;
  const { cancelled_by: _, ...values } = runRow(run, fence);
  await db
    .updateTable('runs')
    .set(values)
    .where('project', '=', run.project)
    .where('environment', '=', run.environment)
    .where('service', '=', run.service)
    .where('due_at', '=', run.dueAt)
    .execute();
  return { saved: true };
}

export async function listRuns(db: Db, query: RunQuery): Promise<Run[]> {
  const all = db
    .selectFrom('runs')
    .selectAll()
    .where('project', '=', query.project)
    .where('environment', '=', query.environment);
  const mine = query.service === undefined ? all : all.where('service', '=', query.service);
  const wanted = query.running === true ? mine.where('state', '=', 'running') : mine;
  const { before } = query;
  const older =
    before === undefined
      ? wanted
      : wanted.where((eb) =>
          eb.or([
            eb('due_at', '<', before.dueAt),
            eb.and([eb('due_at', '=', before.dueAt), eb('service', '>', before.service)]),
          ]),
        );
  const rows = await older
    .orderBy('due_at', 'desc')
    .orderBy('service')
    .limit(query.limit ?? 100)
    .execute();
  return rows.map(readRun);
}

export async function forgetRuns(db: Db, keep: number): Promise<void> {
  const services = await db
    .selectFrom('runs')
    .select(['project', 'environment', 'service'])
    .groupBy(['project', 'environment', 'service'])
    .having((eb) => eb.fn.countAll<number>(), '>', keep)
    .execute();
  for (const service of services) {
    const oldest = await ofService(db, service)
      .orderBy('due_at', 'desc')
      .offset(keep - 1)
      .limit(1)
      .executeTakeFirst();
    if (oldest === undefined) continue;
    await db
      .deleteFrom('runs')
      .where('project', '=', service.project)
      .where('environment', '=', service.environment)
      .where('service', '=', service.service)
      .where('state', '!=', 'running')
      .where('due_at', '<', oldest.due_at)
      .execute();
  }
}

const ofService = (db: Db, { project, environment, service }: Service) =>
  db
    .selectFrom('runs')
    .selectAll()
    .where('project', '=', project)
    .where('environment', '=', environment)
    .where('service', '=', service);
