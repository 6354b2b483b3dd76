import type { Kysely, UpdateResult } from 'kysely';
import { DEFAULT_ORGANIZATION } from '../../../domain/access/organization.ts';
import type { Keep, NewUser, User, UserProofs } from '../../../ports/people-store.ts';
import { readProofs, readUser } from '../../rows/access.ts';
import type { UserRow } from '../../rows/access-tables.ts';
import { type Database, flag } from '../../rows/database.ts';
import { inCharge } from './in-charge.ts';
import { addGrant, addMember } from './members.ts';
import { userUnknown } from '../../../ports/access-refusals.ts';
import { loginTaken } from './refusals.ts';

type Db = Kysely<Database>;

export async function findUser(db: Db, id: string): Promise<User | null> {
  return (await findProofs(db, { id }))?.user ?? null;
}

export async function findProofs(db: Db, of: { id: string } | { login: string }): Promise<UserProofs | null> {
  const query = db.selectFrom('users').selectAll();
  const row = await (
    'id' in of ? query.where('id', '=', of.id) : query.where('login', '=', of.login)
  ).executeTakeFirst();
  return row === undefined ? null : readProofs(row);
}

export async function listUsers(db: Db): Promise<User[]> {
  return (await db.selectFrom('users').selectAll().orderBy('login').execute()).map(readUser);
}

export const hasAnybodySignedIn = async (db: Db): Promise<boolean> =>
  (await db.selectFrom('users').select('id').where('signed_in_at', 'is not', null).limit(1).executeTakeFirst()) !==
  undefined;

export async function addUser(db: Db, { id, login, name, runsServer, createdAt }: NewUser): Promise<void> {
  const nothing = {
    password_hash: null,
    password_at: null,
    totp_sealed: null,
    totp_confirmed: 0 as const,
    totp_step: null,
    disabled_at: null,
    signed_in_at: null,
  };
  const { numInsertedOrUpdatedRows } = await db
    .insertInto('users')
    .values({ id, login, name, runs_server: flag(runsServer), created_at: createdAt, ...nothing })
    .onConflict((conflict) => conflict.column('login').doNothing())
    .executeTakeFirstOrThrow();
  if (numInsertedOrUpdatedRows === 0n) throw loginTaken(login);
}

export async function addFirstUser(db: Db, user: NewUser, grant: { id: string; by: string }): Promise<boolean> {
  if ((await db.selectFrom('users').select('id').limit(1).executeTakeFirst()) !== undefined) return false;
  await addUser(db, { ...user, runsServer: true });
  await addMember(db, DEFAULT_ORGANIZATION, user.id, user.createdAt);
  await addGrant(db, {
    id: grant.id,
    organization: DEFAULT_ORGANIZATION,
    user: user.id,
    role: 'admin',
    project: '*',
    environment: '*',
    grantedBy: grant.by,
    grantedAt: user.createdAt,
  });
  return true;
}

export const renameUser = (db: Db, id: string, name: string): Promise<void> => change(db, id, { name });

export async function setRunsServer(db: Db, id: string, runsServer: boolean, keep?: Keep): Promise<void> {
  const check = await inCharge(db, keep, []);
  await change(db, id, { runs_server: flag(runsServer) });
  await check();
}

export async function setDisabled(db: Db, id: string, at: number | null, keep?: Keep): Promise<void> {
  const check = await inCharge(db, keep, []);
  await change(db, id, { disabled_at: at });
  if (at !== null) await endAccess(db, id, null);
  await check();
}

export async function removeUser(db: Db, id: string, keep?: Keep): Promise<void> {
  const theirs = await db.selectFrom('memberships').select('organization').where('user_id', '=', id).execute();
  const check = await inCharge(
    db,
    keep,
    theirs.map(({ organization }) => organization),
  );
  const { numDeletedRows } = await db.deleteFrom('users').where('id', '=', id).executeTakeFirstOrThrow();
  if (numDeletedRows === 0n) throw userUnknown(id);
  await check();
}

export async function setPassword(
  db: Db,
  id: string,
  password: { hash: string; at: number; keepSession: string | null },
): Promise<void> {
  await change(db, id, { password_hash: password.hash, password_at: password.at });
  await endAccess(db, id, password.keepSession);
}

export const upgradePassword = async (db: Db, id: string, from: string, to: string): Promise<boolean> =>
  changed(
    await db
      .updateTable('users')
      .set({ password_hash: to })
      .where('id', '=', id)
      .where('password_hash', '=', from)
      .executeTakeFirstOrThrow(),
  );

export async function setTotp(db: Db, id: string, sealed: string | null): Promise<boolean> {
  const user = await findUser(db, id);
  if (user === null) throw userUnknown(id);
  if (sealed !== null && user.hasSecondFactor) return false;
  await change(db, id, { totp_sealed: sealed, totp_confirmed: 0, totp_step: null });
  return true;
}

export const useTotpStep = async (db: Db, id: string, sealed: string, step: number): Promise<boolean> =>
  changed(
    await db
      .updateTable('users')
      .set({ totp_step: step, totp_confirmed: 1 })
      .where('id', '=', id)
      .where('totp_sealed', '=', sealed)
      .where((eb) => eb.or([eb('totp_step', 'is', null), eb('totp_step', '<', step)]))
      .executeTakeFirstOrThrow(),
  );

async function change(db: Db, id: string, values: Partial<UserRow>): Promise<void> {
  const result = await db.updateTable('users').set(values).where('id', '=', id).executeTakeFirstOrThrow();
  if (!changed(result)) throw userUnknown(id);
}

const changed = ({ numUpdatedRows }: UpdateResult): boolean => numUpdatedRows > 0n;

/** Sessions and links. Tokens have a life of their own: a build should not stop because somebody changed a password. */
async function endAccess(db: Db, user: string, keepSession: string | null): Promise<void> {
  await db
    .deleteFrom('sessions')
    .where('user_id', '=', user)
    .where('hash', '<>', keepSession ?? '')
    .execute();
  await db.deleteFrom('sign_in_links').where('user_id', '=', user).execute();
}
