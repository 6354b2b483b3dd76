import { called } from '../../../platform/google/http.ts';
import { GoogleRefusal, NOT_RUNNING } from '../../../platform/google/refusal.ts';
import { EvenkeelError } from '../../../ports/errors.ts';
import { ifThere, type Work } from './kind-driver.ts';
import { stateOf } from './kinds/sql-instance.ts';
import { keepUser } from './kinds/sql-user.ts';
import { addValue } from './secrets.ts';

/**
 * Whether a secret is the password of the file's database, and that is there: it then takes what the secret is given.
 * Throws `cloud-not-running` when it rests, since services would be refused.
 */
export async function goesToDatabase({ google, signal }: Work, id: string): Promise<boolean> {
  const { database } = google;
  if (database === null || id !== database.passwordSecret) return false;
  const { instance } = database;
  const client = await google.clients.sqladmin();
  const there = await ifThere(() =>
    called(client.instances.get({ project: google.scope.cloudProject, instance }, { signal })),
  ).catch((error: unknown) => {
    // Where its API was never switched on there is no database, and set-up will take the value that it finds.
    if (error instanceof GoogleRefusal && error.code === 'cloud-api-disabled') return null;
    throw error;
  });
  if (there === null) return false;
  if (stateOf(there) !== 'stopped') return true;
  throw new EvenkeelError({
    code: NOT_RUNNING,
    what: `the database ${instance} rests, and nothing was changed`,
    why: 'its user would keep the former password, and services would be refused',
    next: 'evenkeel cloud start',
  });
}

/**
 * Gives a secret a value; `withDatabase`: the user of the database gets it as well, and the secret with the whole
 * address. Whoever is interrupted gives the value again. Throws `cloud-secret-missing`.
 */
export async function giveValue(
  work: Work,
  { id, value, withDatabase }: { id: string; value: string; withDatabase: boolean },
): Promise<void> {
  const { google, signal } = work;
  await addValue(google, id, value, signal);
  if (withDatabase && google.database !== null) await keepUser(work, google.database);
}
