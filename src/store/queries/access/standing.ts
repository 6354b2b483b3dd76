import type { Kysely } from 'kysely';
import type { Standing } from '../../../domain/access/identity.ts';
import { readRole } from '../../rows/access.ts';
import type { Database } from '../../rows/database.ts';

type Db = Kysely<Database>;

/** What makes an identity of a user; null for one who does not exist or is disabled. */
export async function findStanding(db: Db, user: string): Promise<Standing | null> {
  const row = await db
    .selectFrom('users')
    .select(['login', 'runs_server'])
    .where('id', '=', user)
    .where('disabled_at', 'is', null)
    .executeTakeFirst();
  if (row === undefined) return null;
  const memberships = await db
    .selectFrom('memberships')
    .select('organization')
    .where('user_id', '=', user)
    .orderBy('organization')
    .execute();
  const grants = await db.selectFrom('grants').selectAll().where('user_id', '=', user).orderBy('id').execute();
  const roles = await db
    .selectFrom('roles')
    .innerJoin('memberships', 'memberships.organization', 'roles.organization')
    .selectAll('roles')
    .where('memberships.user_id', '=', user)
    .orderBy('roles.name')
    .execute();
  return {
    id: user,
    login: row.login,
    runsServer: row.runs_server === 1,
    memberships: memberships.map(({ organization }) => ({
      organization,
      grants: grants
        .filter((each) => each.organization === organization)
        .map(({ role, project, environment }) => ({ role, project, environment })),
      roles: roles.filter((each) => each.organization === organization).map(readRole),
    })),
  };
}
