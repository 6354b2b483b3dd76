import type { Kysely } from 'kysely';
import type { Scale, ScaleChange, ScaleOverride } from '../../domain/scaling/scale.ts';
import type { Database } from '../rows/database.ts';

type Db = Kysely<Database>;
type Service = { project: string; environment: string; service: string };

/** Lines of the story that are kept of each service. */
const KEPT = 200;

export async function listScales(db: Db, project: string, environment: string): Promise<Scale[]> {
  const rows = await db
    .selectFrom('scales')
    .selectAll()
    .where('project', '=', project)
    .where('environment', '=', environment)
    .orderBy('service')
    .execute();
  return rows.map((row) => ({
    service: row.service,
    instances: row.instances,
    changedAt: row.changed_at,
    override:
      row.override_min === null || row.override_max === null
        ? null
        : {
            min: row.override_min,
            max: row.override_max,
            by: row.override_by ?? '',
            basis: row.override_basis ?? '',
          },
  }));
}

export async function resize(
  db: Db,
  service: Service,
  change: ScaleChange,
  fence: number,
): Promise<{ saved: true } | { saved: false; reason: 'contested' | 'fence' }> {
  const row = await findScale(db, service);
  if (row !== undefined && row.fence > fence) return { saved: false, reason: 'fence' };
  if ((row?.instances ?? null) !== change.from) return { saved: false, reason: 'contested' };
  const values = { instances: change.to, changed_at: change.at, fence };
  await upsert(db, service, values);
  await tell(db, service, change);
  return { saved: true };
}

export async function overrideScale(
  db: Db,
  service: Service,
  override: ScaleOverride | null,
  change: ScaleChange,
): Promise<void> {
  const row = await findScale(db, service);
  await upsert(db, service, {
    instances: change.to,
    changed_at: change.at,
    fence: row?.fence ?? 0,
    override_min: override?.min ?? null,
    override_max: override?.max ?? null,
    override_by: override?.by ?? null,
    override_basis: override?.basis ?? null,
  });
  await tell(db, service, change);
}

export async function scaleChanges(db: Db, service: Service, limit: number): Promise<ScaleChange[]> {
  const rows = await changesOf(db, service).orderBy('at', 'desc').limit(limit).execute();
  return rows.map((row) => ({ at: row.at, from: row.from_instances, to: row.to_instances, reason: row.reason }));
}

const changesOf = (db: Db, { project, environment, service }: Service) =>
  db
    .selectFrom('scale_changes')
    .selectAll()
    .where('project', '=', project)
    .where('environment', '=', environment)
    .where('service', '=', service);

const findScale = (db: Db, { project, environment, service }: Service) =>
  db
    .selectFrom('scales')
    .selectAll()
    .where('project', '=', project)
    .where('environment', '=', environment)
    .where('service', '=', service)
    .executeTakeFirst();

async function upsert(
  db: Db,
  { project, environment, service }: Service,
  values: Partial<Database['scales']> & Pick<Database['scales'], 'instances' | 'changed_at' | 'fence'>,
): Promise<void> {
  const none = { override_min: null, override_max: null, override_by: null, override_basis: null };
  await db
    .insertInto('scales')
    .values({ project, environment, service, ...none, ...values })
    .onConflict((conflict) => conflict.columns(['project', 'environment', 'service']).doUpdateSet(values))
    .execute();
}

/** Lines of one millisecond, or of a clock that was set back, keep their order. */
async function tell(db: Db, service: Service, change: ScaleChange): Promise<void> {
  const { project, environment, service: name } = service;
  const [last] = await scaleChanges(db, service, 1);
  const at = Math.max(change.at, (last?.at ?? 0) + 1);
  await db
    .insertInto('scale_changes')
    .values({
      project,
      environment,
      service: name,
      at,
      from_instances: change.from,
      to_instances: change.to,
      reason: change.reason,
    })
    .execute();
  const oldest = await changesOf(db, service).orderBy('at', 'desc').offset(KEPT).limit(1).executeTakeFirst();
  if (oldest === undefined) return;
  await db
    .deleteFrom('scale_changes')
    .where('project', '=', project)
    .where('environment', '=', environment)
    .where('service', '=', name)
    .where('at', '<=', oldest.at)
    .execute();
}
