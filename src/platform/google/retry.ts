/** What came back from one try of a request. */
export interface Attempt {
  /** Of the answer; null when none came. */
  status: number | null;
  /** Why Google refused, such as `rateLimitExceeded`; null when it did not say. */
  reason: string | null;
  /** The header `Retry-After` as it came: seconds, or a date. */
  retryAfter: string | null;
  /** How many tries there were, this one included. */
  tries: number;
  /** Whether it does harm to do it twice, should the answer have been lost. */
  once: boolean;
  /** Nobody has ever answered, to this request or one before it: rather there is no network than a bad moment of it. */
  alone?: boolean;
}

/** ms; the longest wait that is chosen here, and not by Google. */
const LONGEST = 32_000;
/** Together up to two minutes of waiting, the time in which a quota for a minute is full again. */
export const MOST_TRIES = 8;
/** A person who has no network learns it in a few seconds. */
const MOST_ALONE = 4;

/** ms; the longest wait that Google is allowed to choose. */
const MOST_ASKED = 300_000;

/** Refusals that come with another status than 429, and mean the same. */
const TOO_FAST = new Set(['rateLimitExceeded', 'userRateLimitExceeded', 'RATE_LIMIT_EXCEEDED', 'quotaExceeded']);

/**
 * After how many ms it is worth trying again; null: never. `random` is from 0 to 1, `now` wall time in ms, `first` the
 * most that is waited before the second try, ms. The wait is anything up to a bound that doubles: many that were refused
 * together do not come back together.
 */
export function retryDelay(
  { status, reason, retryAfter, tries, once, alone = false }: Attempt,
  { now, random, first }: { now: number; random: number; first: number },
): number | null {
  if (tries >= (alone && status === null ? MOST_ALONE : MOST_TRIES)) return null;
  const refused = status === 429 || status === 503 || (status === 403 && reason !== null && TOO_FAST.has(reason));
  const lost = status === null || status === 500 || status === 502 || status === 504 || status === 408;
  if (!refused && !(lost && !once)) return null;
  const bound = Math.min(LONGEST, first * 2 ** (tries - 1));
  const least = asked(retryAfter, now);
  // Better told than waited for: nobody knows a program that says nothing for an hour from one that hangs.
  if (least > MOST_ASKED) return null;
  return Math.round(least + random * bound);
}

/** ms that `Retry-After` asks for; 0 when it asks for nothing that makes sense. */
function asked(retryAfter: string | null, now: number): number {
  if (retryAfter === null) return 0;
  const seconds = Number(retryAfter);
  const ms = retryAfter.trim() !== '' && Number.isFinite(seconds) ? seconds * 1_000 : Date.parse(retryAfter) - now;
  return Number.isFinite(ms) ? Math.max(0, ms) : 0;
}

/** How long to wait, ms, before an operation is looked at again; it grows with the looks there were. */
export function pollPause(looks: number, { first, random }: { first: number; random: number }): number {
  return Math.round(Math.min(10_000, first * 1.5 ** looks) * (0.75 + random / 2));
}
