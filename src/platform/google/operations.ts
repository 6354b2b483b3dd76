import { setTimeout as sleep } from 'node:timers/promises';
import { EvenkeelError } from '../../ports/errors.ts';
import type { GoogleHttp } from './http.ts';
import { pollPause } from './retry.ts';

/** Something long-running, in the words of any of Google's APIs. */
export interface Operation {
  name?: string | null;
  /** Of most APIs. */
  done?: boolean | null;
  /** Of sqladmin and container: `DONE`. */
  status?: string | null;
  error?: {
    code?: number | null;
    message?: string | null;
    errors?: { code?: string | null; message?: string | null }[] | null;
  } | null;
  response?: unknown;
}

export interface Waiting {
  http: GoogleHttp;
  /** What is done, for messages: `creating sql-instance/chat-production-main`. */
  doing: string;
  signal: AbortSignal;
  /** ms; what is not done by then is said to be late, and goes on at Google. */
  deadlineMs: number;
}

const isDone = (operation: Operation): boolean => operation.done === true || operation.status === 'DONE';

/**
 * Waits until an operation has ended, and gives its last state. Nothing is kept for it here: after a crash it is found
 * again at what it changes. Throws `cloud-operation-failed` with Google's words, or `cloud-operation-late`.
 */
export async function settled(
  first: Operation,
  look: (signal: AbortSignal) => Promise<Operation>,
  { http, doing, signal, deadlineMs }: Waiting,
): Promise<Operation> {
  const ended = AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]);
  let operation = first;
  try {
    for (let looks = 0; !isDone(operation); looks += 1) {
      await sleep(pollPause(looks, { first: http.pace * 2, random: Math.random() }), undefined, { signal: ended });
      operation = await look(ended);
    }
  } catch (error) {
    if (signal.aborted) throw stopped(doing, signal.reason);
    if (!ended.aborted) throw error;
    throw new EvenkeelError({
      code: 'cloud-operation-late',
      what: `${doing} has not ended within ${Math.round(deadlineMs / 60_000)} minutes`,
      next: 'run the same again: it waits for what is under way, and begins nothing twice',
      retryable: true,
      exit: 2,
      cause: error,
    });
  }
  const problem = problemOf(operation);
  if (problem === null) return operation;
  throw new EvenkeelError({
    code: 'cloud-operation-failed',
    what: `${doing} failed`,
    why: problem,
    next: 'mend what the reason names, and run the same again',
    exit: 2,
  });
}

/** Why an operation failed; null: it did not. */
function problemOf({ error }: Operation): string | null {
  if (error === undefined || error === null) return null;
  const first = error.errors?.[0];
  return (
    error.message ?? first?.message ?? first?.code ?? (error.code ? `code ${error.code}` : 'Google does not say why')
  );
}

function stopped(doing: string, reason: unknown): EvenkeelError {
  if (reason instanceof EvenkeelError) return reason;
  return new EvenkeelError({
    code: 'cloud-interrupted',
    what: `stopped while ${doing}; it goes on at Google`,
    next: 'run the same again: it goes on where this ended',
    retryable: true,
    exit: 2,
  });
}

/** Waits for one of the kind that most APIs have; `base` is its API, such as `https://run.googleapis.com/v2`. */
export const settledAt = (base: string, operation: Operation, waiting: Waiting): Promise<Operation> =>
  settled(
    operation,
    (signal) => waiting.http.request<Operation>('GET', `${base}/${operation.name ?? ''}`, { signal }),
    waiting,
  );
