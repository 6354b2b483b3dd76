/** A limit of requests: a bucket of `burst` tokens, refilled evenly with `requests` in `perMs`. */
export interface Rate {
  readonly requests: number;
  readonly perMs: number;
  readonly burst: number;
}

export type Taken =
  | { readonly allowed: true; readonly fullAt: number }
  | { readonly allowed: false; readonly retryAfterMs: number };

/** Rounding must not refuse who comes back exactly when told. */
const EPSILON_MS = 1e-6;

/**
 * Takes one token, or says how long until there is one. All that is known of a bucket is when it will be full again
 * (`fullAt`, in the time of `now`); one that is full is not worth remembering.
 */
export function takeToken({ requests, perMs, burst }: Rate, fullAt: number | undefined, now: number): Taken {
  const perToken = perMs / requests;
  const next = Math.max(fullAt ?? now, now) + perToken;
  const missing = next - now - perToken * burst;
  return missing > EPSILON_MS ? { allowed: false, retryAfterMs: missing } : { allowed: true, fullAt: next };
}
