import type { Kind, Observed } from '../../../domain/cloud/resource.ts';
import type { CloudProblem, Look, LookOptions } from '../../../ports/cloud.ts';
import { EvenkeelError } from '../../../ports/errors.ts';
import type { Google } from './google.ts';
import type { Sight } from './kind-driver.ts';
import { kindDrivers } from './kinds.ts';

/** Looks at all kinds at once, and answers each as soon as it is known; one that hangs is given up at the deadline. */
export async function* lookAt(google: Google, kinds: readonly Kind[], options: LookOptions): AsyncGenerator<Look> {
  const late = AbortSignal.timeout(options.deadlineMs);
  const left = new AbortController();
  const signal = AbortSignal.any([options.signal, late, left.signal]);
  const asked = new Map<string, Promise<unknown>>();
  const sight: Sight = {
    google,
    signal,
    sizes: options.sizes ?? false,
    once: <T>(key: string, ask: () => Promise<T>): Promise<T> => {
      const known = asked.get(key) as Promise<T> | undefined;
      if (known !== undefined) return known;
      const answer = ask();
      asked.set(key, answer);
      return answer;
    },
  };
  const open = new Map(kinds.map((kind) => [kind, lookAtOne(kind, sight, late)]));
  try {
    while (open.size > 0) {
      const look = await Promise.race(open.values());
      open.delete(look.kind);
      options.signal.throwIfAborted();
      yield look;
    }
  } finally {
    left.abort();
  }
}

async function lookAtOne(kind: Kind, sight: Sight, late: AbortSignal): Promise<Look> {
  try {
    const resources: Observed[] = await kindDrivers[kind].observe(sight);
    return { kind, resources };
  } catch (error) {
    // Where the API is off there can be none; plans switch it on first.
    if (error instanceof EvenkeelError && error.code === 'cloud-api-disabled')
      return { kind, resources: [], off: error.message };
    return { kind, problem: late.aborted ? noAnswer : problemOf(error) };
  }
}

const noAnswer: CloudProblem = {
  code: 'cloud-no-answer',
  message: 'no answer in time',
  next: 'try again; Google may be slow just now: https://status.cloud.google.com',
  retryable: true,
};

function problemOf(error: unknown): CloudProblem {
  if (!(error instanceof EvenkeelError))
    return {
      code: 'unexpected',
      message: error instanceof Error ? error.message : String(error),
      next: null,
      retryable: false,
    };
  const { code, message, why, next, retryable } = error;
  return { code, message: why === null ? message : `${message} (${why})`, next, retryable };
}
