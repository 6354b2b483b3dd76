import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';

export interface WaitOptions {
  /** What is being waited for, as it should read in the error: "waited 10000 ms for <what>". */
  what: string;
  /** Milliseconds until giving up; generous by default, since the machine may be busy. */
  timeout?: number;
  /** Milliseconds between two looks. */
  interval?: number;
}

/**
 * Looks again and again until `condition` returns something truthy, and returns that.
 *
 * A condition that throws counts as "not yet"; its last error becomes the cause when time is up, so that a failing
 * test tells what stood in the way.
 */
export async function waitFor<T>(
  condition: () => T | Promise<T>,
  { what, timeout = 20_000, interval = 20 }: WaitOptions,
): Promise<Exclude<T, false | null | undefined | 0 | ''>> {
  const deadline = performance.now() + timeout;
  let cause: unknown;
  let last: unknown;
  for (;;) {
    try {
      last = await condition();
      cause = undefined;
      if (last) return last as Exclude<T, false | null | undefined | 0 | ''>;
    } catch (error) {
      cause = error;
    }
    if (performance.now() >= deadline) break;
    await sleep(interval);
  }
  const seen =
    cause === undefined
      ? `last seen: ${inspect(last)}`
      : `last error: ${cause instanceof Error ? cause.message : inspect(cause)}`;
  throw new Error(`waited ${timeout} ms for ${what} (${seen})`, { cause });
}
