import { type Kysely } from 'kysely';
import type { Database } from '../rows/database.ts';

/** The next value of a number that only grows; `count` reserves that many and answers the last of them. */
export async function nextNumber(db: Kysely<Database>, name: 'fence' | 'rollout' | 'release' | 'audit', count = 1) {
  const { value } = await db
    .insertInto('counters')
    .values({ name, value: count })
    .onConflict((conflict) =>
      conflict.column('name').doUpdateSet((eb) => ({ value: eb('counters.value', '+', eb.ref('excluded.value')) })),
    )
    .returning('value')
    .executeTakeFirstOrThrow();
  return value;
}
