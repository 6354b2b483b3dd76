import type { Kysely } from 'kysely';
import type { KeyClaim, KeyName, KnownKey } from '../../ports/idempotency-store.ts';
import type { Database } from '../rows/database.ts';

type Db = Kysely<Database>;
type Held = KeyName & { fence: number };

export async function claimKey(
  db: Db,
  { key, ...claim }: KeyClaim,
): Promise<{ claimed: true } | { claimed: false; known: KnownKey }> {
  const row = await keysOf(db, { who: claim.who, key }).executeTakeFirst();
  if (row !== undefined) {
    const { key_digest, ...known } = row;
    return { claimed: false, known: { ...known, key: key_digest } };
  }
  await db
    .insertInto('idempotency_keys')
    .values({ ...claim, key_digest: key, answer: null })
    .execute();
  return { claimed: true };
}

const keysOf = (db: Db, { who, key }: KeyName) =>
  db.selectFrom('idempotency_keys').selectAll().where('who', '=', who).where('key_digest', '=', key);

export async function takeOverKey(db: Db, { who, key, fence: from }: KnownKey, fence: number): Promise<boolean> {
  return (await change(db, { who, key, fence: from }, { fence })) > 0n;
}

export async function answerKey(db: Db, held: Held, answer: string): Promise<void> {
  await change(db, held, { answer });
}

/** Only while it has no answer: the first one stays. */
async function change(
  db: Db,
  { who, key, fence }: Held,
  to: Partial<Pick<Database['idempotency_keys'], 'answer' | 'fence'>>,
): Promise<bigint> {
  const { numUpdatedRows } = await db
    .updateTable('idempotency_keys')
    .set(to)
    .where('who', '=', who)
    .where('key_digest', '=', key)
    .where('fence', '=', fence)
    .where('answer', 'is', null)
    .executeTakeFirstOrThrow();
  return numUpdatedRows;
}

export async function releaseKey(db: Db, { who, key, fence }: Held): Promise<void> {
  await db
    .deleteFrom('idempotency_keys')
    .where('who', '=', who)
    .where('key_digest', '=', key)
    .where('fence', '=', fence)
    .where('answer', 'is', null)
    .execute();
}

export async function forgetKeys(db: Db, before: number): Promise<number> {
  const { numDeletedRows } = await db.deleteFrom('idempotency_keys').where('at', '<', before).executeTakeFirstOrThrow();
  return Number(numDeletedRows);
}
