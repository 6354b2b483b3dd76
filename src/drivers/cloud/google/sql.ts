import type { sqladmin_v1 } from '@googleapis/sqladmin';
import { called, clientOptions } from '../../../platform/google/http.ts';
import { type Operation, settled } from '../../../platform/google/operations.ts';
import { GoogleRefusal, NOT_RUNNING } from '../../../platform/google/refusal.ts';
import { EvenkeelError } from '../../../ports/errors.ts';
import type { Google } from './google.ts';
import { MINUTE, type Work } from './kind-driver.ts';
import { secretPath } from './secrets.ts';

/** Cloud SQL is the slowest of all: a new instance takes up to a quarter of an hour. */
const LONGEST = 30 * MINUTE;
/** Of one change that finds another under way each time. */
const MOST_TRIES = 10;

const waitingFor = (work: Work, doing: string) => ({
  http: work.google.http,
  doing,
  signal: work.signal,
  deadlineMs: LONGEST,
});

async function settledSql(work: Work, operation: Operation, doing: string): Promise<Operation> {
  const client = await work.google.clients.sqladmin();
  const project = work.google.scope.cloudProject;
  const look = (signal: AbortSignal): Promise<Operation> =>
    called(client.operations.get({ project, operation: operation.name ?? '' }, { signal }));
  return settled(operation, look, waitingFor(work, doing));
}

/**
 * Waits for what anybody has begun at an instance: it does one thing at a time, and refuses the next meanwhile. Answers
 * whether there was anything.
 */
export async function untilIdle(work: Work, instance: string, doing: string): Promise<boolean> {
  const { google, signal, say } = work;
  const client = await google.clients.sqladmin();
  const { items = [] } = await called(
    client.operations.list({ project: google.scope.cloudProject, instance, maxResults: 10 }, { signal }),
  );
  const open = items.filter(({ status }) => status !== 'DONE');
  for (const operation of open) {
    say(
      `waiting for what is under way (${(operation.operationType ?? 'operation').toLowerCase().replaceAll('_', ' ')})`,
    );
    // How it ends is a matter of who began it.
    await settledSql(work, operation, doing).catch((error: unknown) => {
      if (!(error instanceof EvenkeelError) || error.code !== 'cloud-operation-failed') throw error;
    });
  }
  return open.length > 0;
}

/**
 * Does what needs an instance that runs. One that is still being made or woken, by a command that was interrupted or by
 * somebody else, is waited for; one that rests is not.
 */
export async function onceRunning<T>(work: Work, instance: string, doing: string, act: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await act();
    } catch (error) {
      const rests = error instanceof GoogleRefusal && error.code === NOT_RUNNING;
      if (!rests || tries >= MOST_TRIES || !(await untilIdle(work, instance, doing))) throw error;
    }
  }
}

/**
 * Changes an instance or what is in it, and waits for the end; null when what is to be made is there already. Where
 * another change is under way it is waited for first.
 */
export async function changeSql(
  work: Work,
  instance: string,
  doing: string,
  begin: () => Promise<Operation>,
): Promise<Operation | null> {
  return work.google.turn(`sql/${instance}`, async () => {
    for (let tries = 1; ; tries += 1) {
      try {
        const operation = await begin();
        work.say('waiting for the operation');
        return await settledSql(work, operation, doing);
      } catch (error) {
        if (!(error instanceof GoogleRefusal)) throw error;
        const busy = isBusy(error);
        if (!busy && error.status === 409) return null;
        if (!busy || tries >= MOST_TRIES) throw error;
        await untilIdle(work, instance, doing);
      }
    }
  });
}

const isBusy = ({ status, reason, why }: GoogleRefusal): boolean =>
  (status === 409 || status === 412 || status === 400) &&
  (/operationInProgress/.test(reason) || /operation (was|is) already in progress|another operation/i.test(why ?? ''));

/** Runs one statement as the user of the file, whose password Cloud SQL reads from its secret by itself. */
export async function executeSql(
  google: Google,
  target: { instance: string; database: string; user: string; passwordSecret: string },
  sqlStatement: string,
  signal: AbortSignal,
): Promise<string[][]> {
  const client = await google.clients.sqladmin();
  const { instance, database, user, passwordSecret } = target;
  const answer = await called<sqladmin_v1.Schema$SqlInstancesExecuteSqlResponse>(
    client.instances.executeSql(
      {
        project: google.scope.cloudProject,
        instance,
        requestBody: {
          database,
          user,
          sqlStatement,
          passwordSecretVersion: `${secretPath(google, passwordSecret)}/versions/latest`,
        },
      },
      { ...clientOptions(google.http), signal },
    ),
  );
  if (answer.status?.code) {
    throw new EvenkeelError({
      code: 'cloud-sql-failed',
      what: `Postgres refused a statement in ${instance}/${database}`,
      why: answer.status.message ?? `code ${answer.status.code}`,
      exit: 2,
    });
  }
  return (answer.results ?? []).flatMap(({ rows }) =>
    (rows ?? []).map(({ values }) => (values ?? []).map(({ value }) => value ?? '')),
  );
}
