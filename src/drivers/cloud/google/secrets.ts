import { called, clientOptions } from '../../../platform/google/http.ts';
import { EvenkeelError } from '../../../ports/errors.ts';
import type { Google } from './google.ts';
import { ifThere } from './kind-driver.ts';

export const secretPath = ({ scope }: Google, id: string): string => `projects/${scope.cloudProject}/secrets/${id}`;

/** Whether it has a version that can be read. A secret that is not there has none. */
export async function hasValue(google: Google, id: string, signal: AbortSignal): Promise<boolean> {
  const client = await google.clients.secretmanager();
  const parent = secretPath(google, id);
  const page = await ifThere(() =>
    called(client.projects.secrets.versions.list({ parent, filter: 'state:ENABLED', pageSize: 1 }, { signal })),
  );
  return (page?.versions ?? []).length > 0;
}

/** The value; null when it has none. For this process alone: it goes into no message. */
export async function readValue(google: Google, id: string, signal: AbortSignal): Promise<string | null> {
  const client = await google.clients.secretmanager();
  const name = `${secretPath(google, id)}/versions/latest`;
  const version = await called(client.projects.secrets.versions.access({ name }, { signal })).catch(
    (error: unknown) => {
      // A version that was disabled or destroyed is answered with a refusal of its own.
      const status = error instanceof EvenkeelError && 'status' in error ? error.status : null;
      if (status === 404 || status === 400) return null;
      throw error;
    },
  );
  const data = version?.payload?.data;
  return data ? Buffer.from(data, 'base64').toString('utf8') : null;
}

/** Adds a version. Throws `cloud-secret-missing` when the secret was never declared. */
export async function addValue(google: Google, id: string, value: string, signal: AbortSignal): Promise<void> {
  const client = await google.clients.secretmanager();
  const requestBody = { payload: { data: Buffer.from(value, 'utf8').toString('base64') } };
  const parent = secretPath(google, id);
  // Once: a version more than needed is paid for, month after month.
  const options = { ...clientOptions(google.http), fetchImplementation: google.http.fetchOnce, signal };
  const made = await ifThere(() => called(client.projects.secrets.addVersion({ parent, requestBody }, options)));
  if (made !== null) return;
  throw new EvenkeelError({
    code: 'cloud-secret-missing',
    what: `there is no secret ${id} in ${google.scope.cloudProject}`,
    next: 'evenkeel cloud setup --only secrets',
  });
}
