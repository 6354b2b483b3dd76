import type { Kysely, RawBuilder } from 'kysely';
import { EvenkeelError } from '../../ports/errors.ts';
import type { Lease, LeaseRequest, TakeLease } from '../../ports/store.ts';
import type { Database } from '../rows/database.ts';
import { nextNumber } from './counters.ts';

/** There is one kind of lease so far: that of the controller. */
const NAME = 'controller';

export async function findLease(db: Kysely<Database>, now: RawBuilder<number>): Promise<Lease | null> {
  const row = await db
    .selectFrom('leases')
    .select(['holder', 'about', 'fence', (eb) => eb('expires_at', '-', now).as('left')])
    .where('name', '=', NAME)
    .executeTakeFirst();
  return row === undefined ? null : { holder: row.holder, about: row.about, fence: row.fence, leftMs: row.left };
}

export async function takeLease(
  db: Kysely<Database>,
  now: RawBuilder<number>,
  { holder, about, ms, dead }: LeaseRequest,
): Promise<TakeLease> {
  const lease = await findLease(db, now);
  if (lease !== null && lease.leftMs > 0 && lease.fence !== dead) return { taken: false, lease };
  const fence = await nextNumber(db, 'fence');
  await db
    .insertInto('leases')
    .values((eb) => ({ name: NAME, holder, about, fence, expires_at: eb(now, '+', ms) }))
    .onConflict((conflict) =>
      conflict.column('name').doUpdateSet((eb) => ({
        holder: eb.ref('excluded.holder'),
        about: eb.ref('excluded.about'),
        fence: eb.ref('excluded.fence'),
        expires_at: eb.ref('excluded.expires_at'),
      })),
    )
    .execute();
  return { taken: true, fence };
}

/** Also one that has run out, as long as nobody has taken it: then nobody else has acted either. */
export async function renewLease(
  db: Kysely<Database>,
  now: RawBuilder<number>,
  { holder, fence, ms }: { holder: string; fence: number; ms: number },
): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('leases')
    .set((eb) => ({ expires_at: eb(now, '+', ms) }))
    .where('name', '=', NAME)
    .where('holder', '=', holder)
    .where('fence', '=', fence)
    .executeTakeFirstOrThrow();
  return numUpdatedRows > 0n;
}

export async function giveUpLease(
  db: Kysely<Database>,
  { holder, fence }: { holder: string; fence: number },
): Promise<void> {
  await db
    .updateTable('leases')
    .set({ expires_at: 0, holder: '', about: '' })
    .where('name', '=', NAME)
    .where('holder', '=', holder)
    .where('fence', '=', fence)
    .execute();
}

/** Throws `store-fenced` when a higher fence was drawn: whoever holds this one does not act any more. */
export async function refuseLate(db: Kysely<Database>, fence: number): Promise<void> {
  const row = await db.selectFrom('counters').select('value').where('name', '=', 'fence').executeTakeFirst();
  if (row === undefined || row.value <= fence) return;
  throw new EvenkeelError({
    code: 'store-fenced',
    what: 'Another controller acts by now; nothing was written.',
    why: `Its fence is ${row.value}, and this one has ${fence}.`,
    next: 'Ask again: that one answers.',
    retryable: true,
    exit: 2,
  });
}
