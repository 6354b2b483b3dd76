import type { Kysely } from 'kysely';
import type { Standing } from '../../../domain/access/identity.ts';
import { SEEN_EVERY_MS } from '../../../domain/access/sessions.ts';
import type { ApiToken } from '../../../ports/sign-in-store.ts';
import { readToken, tokenRow } from '../../rows/access.ts';
import type { Database } from '../../rows/database.ts';
import { findStanding } from './standing.ts';
import { requireOrganization } from './organizations.ts';
import { tokenUnknown, userUnknown } from '../../../ports/access-refusals.ts';
import { tokenNameTaken } from './refusals.ts';

type Db = Kysely<Database>;

export async function addToken(db: Db, token: ApiToken): Promise<void> {
  if ((await findStanding(db, token.user)) === null) throw userUnknown(token.user);
  if (token.madeBy !== null && (await findTokenById(db, token.madeBy)) === null) throw tokenUnknown(token.madeBy);
  if (token.scope.organization !== null) await requireOrganization(db, token.scope.organization);
  const { numInsertedOrUpdatedRows } = await db
    .insertInto('tokens')
    .values(tokenRow(token))
    .onConflict((conflict) => conflict.columns(['user_id', 'name']).doNothing())
    .executeTakeFirstOrThrow();
  if (numInsertedOrUpdatedRows === 0n) throw tokenNameTaken(token.name);
}

export async function findToken(
  db: Db,
  hash: string,
  now: number,
): Promise<{ token: ApiToken; standing: Standing } | null> {
  const row = await db.selectFrom('tokens').selectAll().where('hash', '=', hash).executeTakeFirst();
  if (row === undefined || (row.expires_at !== null && now >= row.expires_at)) return null;
  const standing = await findStanding(db, row.user_id);
  return standing === null ? null : { token: readToken(row), standing };
}

export async function findTokenById(db: Db, id: string): Promise<ApiToken | null> {
  const row = await db.selectFrom('tokens').selectAll().where('id', '=', id).executeTakeFirst();
  return row === undefined ? null : readToken(row);
}

export async function isUsedLately(db: Db, id: string, now: number): Promise<boolean> {
  const row = await db.selectFrom('tokens').select('used_at').where('id', '=', id).executeTakeFirst();
  return row === undefined || (row.used_at !== null && now - row.used_at < SEEN_EVERY_MS);
}

export async function tokenUsed(db: Db, id: string, now: number, from: string | null): Promise<void> {
  await db
    .updateTable('tokens')
    .set({ used_at: now, used_from: from })
    .where('id', '=', id)
    .where((eb) => eb.or([eb('used_at', 'is', null), eb('used_at', '<', now)]))
    .execute();
}

export async function listTokens(db: Db, of: { user: string } | { organization: string }): Promise<ApiToken[]> {
  const all = db.selectFrom('tokens').selectAll().orderBy('name').orderBy('id');
  const rows = await (
    'user' in of
      ? all.where('user_id', '=', of.user)
      : all.where((eb) =>
          eb.or([
            eb('organization', '=', of.organization),
            eb.and([
              eb('organization', 'is', null),
              eb(
                'user_id',
                'in',
                eb.selectFrom('memberships').select('user_id').where('organization', '=', of.organization),
              ),
            ]),
          ]),
        )
  ).execute();
  return rows.map(readToken);
}

export async function revokeToken(db: Db, id: string): Promise<boolean> {
  const { numDeletedRows } = await db.deleteFrom('tokens').where('id', '=', id).executeTakeFirstOrThrow();
  return numDeletedRows > 0n;
}
