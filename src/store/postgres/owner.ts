import { EvenkeelError } from '../../ports/errors.ts';
import type { Session } from './session.ts';

/** The table whose one row says whose store the database is. That it is there says that the others are evenkeel's. */
export const OWNER_NAME = 'evenkeel_store';

export const OWNER_TABLE = `create table ${OWNER_NAME} (
  one integer not null primary key check (one = 1),
  id text not null,
  name text not null,
  since bigint not null
)`;

/** The installation that keeps its state in the database. */
export interface StoreOwner {
  /** Of the home, unique and lasting. */
  id: string;
  /** For people: machine and folder. */
  name: string;
  /** Whether this home has used such a database before; then an empty one is not it. */
  knows: boolean;
}

/**
 * Makes the database the owner's, or sees that it is. Two controllers of different homes on one database would each
 * start everything on their own machine, and take turns in fencing each other off.
 */
export async function claim(
  session: Session,
  { owner, where, now }: { owner: StoreOwner | null; where: string; now: number },
): Promise<void> {
  if (owner === null) return;
  const [row] = await session.rows(`select id, name from ${OWNER_NAME}`);
  if (row?.['id'] === owner.id) return;
  if (row !== undefined) throw taken(where, String(row['name']));
  if (owner.knows) throw notThatOne(where);
  await session.rows(`insert into ${OWNER_NAME} values (1, $1, $2, $3)`, [owner.id, owner.name, now]);
}

function taken(where: string, name: string): EvenkeelError {
  return new EvenkeelError({
    code: 'store-taken',
    what: 'The database holds the state of another evenkeel.',
    where,
    why: `It belongs to ${name}. A database is the store of one home; several controllers are of one home, too.`,
    next: `Give this one a database of its own. If the other one is gone for good: delete from ${OWNER_NAME}; then start again.`,
  });
}

function notThatOne(where: string): EvenkeelError {
  return new EvenkeelError({
    code: 'store-missing',
    what: 'The database holds no state, and this evenkeel has some.',
    where,
    why: 'This home has kept its state in a Postgres database before, and this one has never been it, or was emptied.',
    next: 'Name the former database in EVENKEEL_DATABASE_URL, or restore it. To begin anew, give evenkeel a new EVENKEEL_HOME.',
  });
}
