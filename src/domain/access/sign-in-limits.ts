/** Tries to sign in that have failed, or are not over, of one name or from one address. */
export interface Attempts {
  readonly count: number;
  /** Of the last one, ms. */
  readonly lastAt: number;
}

export interface Limit {
  /** So many in a row are free. */
  readonly free: number;
  /** Each one more makes the next one wait twice as long, from a second up to this, ms. */
  readonly longestMs: number;
}

/**
 * A name waits a minute at most, since whoever knows it could lock its owner out: 1,440 guesses a day are left, and an
 * address, which is the guesser's own, waits longer. Offices share an address, so it has more free ones.
 */
export const LIMIT_OF_NAME: Limit = { free: 5, longestMs: 60_000 };
export const LIMIT_OF_ADDRESS: Limit = { free: 30, longestMs: 900_000 };

/** After so long without a further one they are forgotten, ms. Longer than any wait. */
export const FORGET_AFTER_MS = 3_600_000;

/**
 * Whether another try may begin; if so it is counted at once, before the password is looked at: a hundred at the same
 * moment are no cheaper than a hundred in a row. Success takes it off again. One that is refused is not counted.
 */
export function attempt(
  known: Attempts | null,
  limit: Limit,
  now: number,
): { readonly allowed: true; readonly next: Attempts } | { readonly allowed: false; readonly waitMs: number } {
  // A clock that was set back forgets nothing, and lets nobody wait for longer than the rule says.
  if (known === null || now - known.lastAt >= FORGET_AFTER_MS)
    return { allowed: true, next: { count: 1, lastAt: now } };
  const over = known.count - limit.free;
  const wait = over < 0 ? 0 : Math.min(limit.longestMs, 1_000 * 2 ** Math.min(over, 30));
  const passed = Math.max(0, now - known.lastAt);
  if (passed < wait) return { allowed: false, waitMs: wait - passed };
  return { allowed: true, next: { count: known.count + 1, lastAt: Math.max(now, known.lastAt) } };
}
