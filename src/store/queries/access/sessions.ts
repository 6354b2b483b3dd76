import type { Kysely } from 'kysely';
import type { Standing } from '../../../domain/access/identity.ts';
import { isOver, SEEN_EVERY_MS, type SessionRule } from '../../../domain/access/sessions.ts';
import type { Session, SignedInBy } from '../../../ports/sign-in-store.ts';
import { readSession, sessionRow } from '../../rows/access.ts';
import type { Database } from '../../rows/database.ts';
import { findStanding } from './standing.ts';
import { userUnknown } from '../../../ports/access-refusals.ts';
import { signInOutdated } from './refusals.ts';

type Db = Kysely<Database>;

/** Of one user; the one that was idle for longest makes room. */
const MOST = 50;

export async function addSession(
  db: Db,
  session: Session,
  { replaces, passwordAt, completes = false, pending }: SignedInBy & { pending: boolean },
): Promise<void> {
  // Writes to the user's row: whoever disables them or changes the password at this moment comes whole before or after it.
  const row = await db
    .updateTable('users')
    .set((eb) => ({ signed_in_at: pending ? eb.ref('signed_in_at') : eb.val(session.createdAt) }))
    .where('id', '=', session.user)
    .where('disabled_at', 'is', null)
    .returning('password_at')
    .executeTakeFirst();
  if (row === undefined) throw userUnknown(session.user);
  if (passwordAt !== undefined && row.password_at !== passwordAt) throw signInOutdated();
  if (!(await ended(db, replaces, completes)) && completes) throw signInOutdated();
  const others = await db
    .selectFrom('sessions')
    .select('id')
    .where('user_id', '=', session.user)
    .orderBy('seen_at', 'desc')
    .execute();
  for (const { id } of others.slice(MOST - 1)) await db.deleteFrom('sessions').where('id', '=', id).execute();
  await db.insertInto('sessions').values(sessionRow(session, pending)).execute();
}

async function ended(db: Db, hash: string | null, onlyPending: boolean): Promise<boolean> {
  if (hash === null) return false;
  const query = db.deleteFrom('sessions').where('hash', '=', hash);
  const { numDeletedRows } = await (onlyPending ? query.where('pending', '=', 1) : query).executeTakeFirstOrThrow();
  return numDeletedRows > 0n;
}

export async function findSession(
  db: Db,
  hash: string,
  now: number,
  rule: SessionRule,
): Promise<{ session: Session; standing: Standing } | null> {
  const session = await find(db, hash, 0);
  if (session === null || isOver(session, rule, now)) return null;
  const standing = await findStanding(db, session.user);
  return standing === null ? null : { session, standing };
}

export async function findPendingSession(db: Db, hash: string, now: number): Promise<Session | null> {
  const session = await find(db, hash, 1);
  if (session === null || now >= session.expiresAt) return null;
  return (await findStanding(db, session.user)) === null ? null : session;
}

async function find(db: Db, hash: string, pending: 0 | 1): Promise<Session | null> {
  const row = await db
    .selectFrom('sessions')
    .selectAll()
    .where('hash', '=', hash)
    .where('pending', '=', pending)
    .executeTakeFirst();
  return row === undefined ? null : readSession(row);
}

export async function isSeenLately(db: Db, hash: string, now: number): Promise<boolean> {
  const row = await db.selectFrom('sessions').select('seen_at').where('hash', '=', hash).executeTakeFirst();
  return row === undefined || now - row.seen_at < SEEN_EVERY_MS;
}

export async function sessionSeen(db: Db, hash: string, now: number): Promise<void> {
  await db.updateTable('sessions').set({ seen_at: now }).where('hash', '=', hash).where('seen_at', '<', now).execute();
}

export async function listSessions(db: Db, user: string, now: number, rule: SessionRule): Promise<Session[]> {
  const rows = await db
    .selectFrom('sessions')
    .selectAll()
    .where('user_id', '=', user)
    .where('pending', '=', 0)
    .orderBy('seen_at', 'desc')
    .orderBy('id', 'desc')
    .execute();
  return rows.map(readSession).filter((session) => !isOver(session, rule, now));
}

export async function endSession(db: Db, which: { hash: string } | { user: string; id: string }): Promise<boolean> {
  const query = db.deleteFrom('sessions');
  const { numDeletedRows } = await (
    'hash' in which
      ? query.where('hash', '=', which.hash)
      : query.where('id', '=', which.id).where('user_id', '=', which.user)
  ).executeTakeFirstOrThrow();
  return numDeletedRows > 0n;
}

export async function endSessions(db: Db, user: string, but: string | null): Promise<number> {
  const { numDeletedRows } = await db
    .deleteFrom('sessions')
    .where('user_id', '=', user)
    .where('hash', '<>', but ?? '')
    .executeTakeFirstOrThrow();
  return Number(numDeletedRows);
}
