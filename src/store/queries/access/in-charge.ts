import type { Kysely } from 'kysely';
import { mayDoEverything } from '../../../domain/access/in-charge.ts';
import { personOf } from '../../../domain/access/identity.ts';
import type { Keep } from '../../../ports/people-store.ts';
import type { Database } from '../../rows/database.ts';
import { findStanding } from './standing.ts';
import { lastAdmin, lastWhoRunsServer } from './refusals.ts';

type Db = Kysely<Database>;

/**
 * To be called before a change, and what it answers behind it, in one transaction: throws when somebody was in charge
 * before and nobody is now. Of two who remove each other at once one stays.
 */
export async function inCharge(
  db: Db,
  keep: Keep | undefined,
  organizations: readonly string[],
): Promise<() => Promise<void>> {
  if (keep === undefined) return async () => {};
  const managed: string[] = [];
  for (const organization of organizations) if (await isManaged(db, organization)) managed.push(organization);
  const run = await isRun(db);
  return async () => {
    for (const organization of managed) if (!(await isManaged(db, organization))) throw lastAdmin(organization);
    if (run && !(await isRun(db))) throw lastWhoRunsServer();
  };
}

/** Whoever is disabled is in charge of nothing. */
async function isManaged(db: Db, organization: string): Promise<boolean> {
  const rows = await db
    .selectFrom('grants')
    .select('user_id')
    .distinct()
    .where('organization', '=', organization)
    .where('project', '=', '*')
    .where('environment', '=', '*')
    .orderBy('user_id')
    .execute();
  for (const { user_id } of rows) {
    const standing = await findStanding(db, user_id);
    if (standing !== null && mayDoEverything(personOf(standing), organization)) return true;
  }
  return false;
}

async function isRun(db: Db): Promise<boolean> {
  const row = await db
    .selectFrom('users')
    .select('id')
    .where('runs_server', '=', 1)
    .where('disabled_at', 'is', null)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}
