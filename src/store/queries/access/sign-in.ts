import type { Kysely } from 'kysely';
import type { SessionRule } from '../../../domain/access/sessions.ts';
import { attempt, type Attempts, FORGET_AFTER_MS, type Limit } from '../../../domain/access/sign-in-limits.ts';
import type { AttemptsAllowed, OidcIdentity, SignInLink } from '../../../ports/sign-in-store.ts';
import { linkRow, readLink } from '../../rows/access.ts';
import type { Database } from '../../rows/database.ts';
import { findStanding } from './standing.ts';
import { userUnknown } from '../../../ports/access-refusals.ts';
import { identityTaken } from './refusals.ts';

type Db = Kysely<Database>;

/** How long a token that has expired is still shown in lists, ms. */
const EXPIRED_SHOWN_MS = 30 * 86_400_000;

export async function addLink(db: Db, link: SignInLink): Promise<void> {
  if ((await findStanding(db, link.user)) === null) throw userUnknown(link.user);
  const { user_id, ...values } = linkRow(link);
  await db
    .insertInto('sign_in_links')
    .values({ user_id, ...values })
    .onConflict((conflict) => conflict.column('user_id').doUpdateSet(values))
    .execute();
}

export async function takeLink(db: Db, hash: string, now: number): Promise<SignInLink | null> {
  const row = await db.deleteFrom('sign_in_links').where('hash', '=', hash).returningAll().executeTakeFirst();
  if (row === undefined || now >= row.expires_at) return null;
  return (await findStanding(db, row.user_id)) === null ? null : readLink(row);
}

export async function endLinkOfOthers(db: Db, user: string, by: string): Promise<void> {
  await db.deleteFrom('sign_in_links').where('user_id', '=', user).where('created_by', '<>', by).execute();
}

export async function linkIdentity(db: Db, { issuer, subject, user, linkedAt }: OidcIdentity): Promise<void> {
  if ((await findStanding(db, user)) === null) throw userUnknown(user);
  await db
    .insertInto('identities')
    .values({ issuer, subject, user_id: user, linked_at: linkedAt })
    .onConflict((conflict) => conflict.columns(['issuer', 'subject']).doNothing())
    .execute();
  if ((await userOfIdentity(db, issuer, subject)) !== user) throw identityTaken(issuer);
}

export async function userOfIdentity(db: Db, issuer: string, subject: string): Promise<string | null> {
  const row = await db
    .selectFrom('identities')
    .select('user_id')
    .where('issuer', '=', issuer)
    .where('subject', '=', subject)
    .executeTakeFirst();
  return row?.user_id ?? null;
}

export async function listIdentities(db: Db, user: string): Promise<OidcIdentity[]> {
  const rows = await db
    .selectFrom('identities')
    .selectAll()
    .where('user_id', '=', user)
    .orderBy('issuer')
    .orderBy('subject')
    .execute();
  return rows.map((row) => ({ issuer: row.issuer, subject: row.subject, user: row.user_id, linkedAt: row.linked_at }));
}

export async function unlinkIdentity(db: Db, user: string, issuer: string, subject: string): Promise<boolean> {
  const { numDeletedRows } = await db
    .deleteFrom('identities')
    .where('issuer', '=', issuer)
    .where('subject', '=', subject)
    .where('user_id', '=', user)
    .executeTakeFirstOrThrow();
  return numDeletedRows > 0n;
}

export async function beginAttempt(
  db: Db,
  keys: readonly { key: string; limit: Limit }[],
  now: number,
): Promise<AttemptsAllowed> {
  const counted: [string, Attempts][] = [];
  // In one order, so that two never wait for each other.
  for (const { key, limit } of keys.toSorted((a, b) => (a.key < b.key ? -1 : 1))) {
    const row = await db.selectFrom('sign_in_attempts').selectAll().where('key', '=', key).executeTakeFirst();
    const tried = attempt(row === undefined ? null : { count: row.count, lastAt: row.last_at }, limit, now);
    if (!tried.allowed) return { allowed: false, key, waitMs: tried.waitMs };
    counted.push([key, tried.next]);
  }
  for (const [key, { count, lastAt }] of counted)
    await db
      .insertInto('sign_in_attempts')
      .values({ key, count, last_at: lastAt })
      .onConflict((conflict) => conflict.column('key').doUpdateSet({ count, last_at: lastAt }))
      .execute();
  return { allowed: true };
}

export async function attemptSucceeded(
  db: Db,
  { forget, takeOff }: { forget: string; takeOff: readonly string[] },
): Promise<void> {
  await db.deleteFrom('sign_in_attempts').where('key', '=', forget).execute();
  for (const key of takeOff.toSorted())
    await db
      .updateTable('sign_in_attempts')
      .set((eb) => ({ count: eb('count', '-', 1) }))
      .where('key', '=', key)
      .where('count', '>', 0)
      .execute();
}

export async function forgetExpired(db: Db, now: number, { idleMs }: SessionRule): Promise<void> {
  await db
    .deleteFrom('sessions')
    .where((eb) => eb.or([eb('expires_at', '<=', now), eb('seen_at', '<=', now - idleMs)]))
    .execute();
  await db.deleteFrom('sign_in_links').where('expires_at', '<=', now).execute();
  await db
    .deleteFrom('tokens')
    .where('expires_at', '<=', now - EXPIRED_SHOWN_MS)
    .execute();
  await db
    .deleteFrom('sign_in_attempts')
    .where('last_at', '<=', now - FORGET_AFTER_MS)
    .execute();
}
