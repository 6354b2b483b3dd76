import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import { writeFileAtomic } from '../platform/atomic-file.ts';
import { newId } from '../platform/ids.ts';
import type { EvenkeelPaths } from '../platform/paths.ts';
import { readJson } from '../platform/read-json.ts';
import type { HoldsAccess } from '../ports/access-store.ts';
import { EvenkeelError } from '../ports/errors.ts';
import type { Store } from '../ports/store.ts';
import { openSqliteStore } from '../store/sqlite/open.ts';

/** What the home remembers of the database in which its state lies. */
interface Elsewhere {
  /** By which the database knows the home. */
  id: string;
  /** Whether the database was ever opened; before that it may not know the home yet. */
  opened: boolean;
}

/**
 * The store of this home: a file in it, or the Postgres database that EVENKEEL_DATABASE_URL names. State is never looked
 * for in the wrong place in silence: an empty store would mean that nothing ought to run.
 */
export async function openStore(
  env: NodeJS.ProcessEnv,
  paths: EvenkeelPaths,
  { patienceMs }: { patienceMs?: number } = {},
): Promise<Store & HoldsAccess> {
  const url = env['EVENKEEL_DATABASE_URL'] ?? '';
  const elsewhere = await readElsewhere(paths.storeElsewhere);
  if (url === '') {
    if (elsewhere?.opened === true) throw notNamed(paths);
    return openSqliteStore({ file: paths.store });
  }
  if (elsewhere === null && existsSync(paths.store)) throw already(paths);
  const id = elsewhere?.id ?? newId('home');
  const knows = elsewhere?.opened ?? false;
  const remember = (opened: boolean) =>
    writeFileAtomic(paths.storeElsewhere, `${JSON.stringify({ id, opened } satisfies Elsewhere)}\n`);
  if (elsewhere === null) await remember(false);
  // Only now: `pg` is worth its memory only to whoever uses it.
  const { openPostgresStore } = await import('../store/postgres/open.ts');
  const owner = { id, name: `${hostname()}:${paths.home}`, knows };
  const store = await openPostgresStore({
    url,
    owner,
    ...(patienceMs === undefined ? {} : { openPatienceMs: patienceMs }),
  });
  if (!knows) await remember(true);
  return store;
}

async function readElsewhere(file: string): Promise<Elsewhere | null> {
  const value = await readJson(file);
  if (typeof value !== 'object' || value === null || !('id' in value) || typeof value.id !== 'string') return null;
  return { id: value.id, opened: 'opened' in value && value.opened === true };
}

function notNamed(paths: EvenkeelPaths): EvenkeelError {
  return new EvenkeelError({
    code: 'store-elsewhere',
    what: 'The state of this evenkeel lies in a Postgres database, and EVENKEEL_DATABASE_URL is not set.',
    where: paths.home,
    next: 'Set it where the server is started, then `evenkeel server stop` and `evenkeel up`.',
  });
}

function already(paths: EvenkeelPaths): EvenkeelError {
  return new EvenkeelError({
    code: 'store-here',
    what: 'This evenkeel keeps its state in a file already, and it is not carried over to a database.',
    where: paths.store,
    why: 'EVENKEEL_DATABASE_URL is set.',
    next: 'Unset it, or set EVENKEEL_HOME to a new folder to begin anew.',
  });
}
