import type { Rate } from './rate.ts';
import { takeToken } from './rate.ts';

/** Clients remembered in one generation; some 4 MB for both. */
const GENERATION = 20_000;

/**
 * Buckets of many clients in bounded memory: two generations, of which the older is forgotten when the younger is full,
 * or when all its buckets must be full again. Who has been heard of lately is in the younger one. More clients than that
 * at once are beyond what a limit for each client can stop; the longest silent are forgotten first.
 */
export class RateLimiter {
  readonly #rate: Rate;
  readonly #limit: number;
  /** Until a bucket that was emptied is full again. */
  readonly #refillMs: number;
  #young = new Map<string, number>();
  #old = new Map<string, number>();
  #youngSince = 0;

  constructor(rate: Rate, limit = GENERATION) {
    this.#rate = rate;
    this.#limit = limit;
    this.#refillMs = (rate.perMs / rate.requests) * rate.burst;
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  /** What was taken did not count after all. */
  giveBack(client: string): void {
    const known = this.#young.get(client) ?? this.#old.get(client);
    if (known !== undefined) this.#young.set(client, known - this.#rate.perMs / this.#rate.requests);
  }

  /** Milliseconds until a request of this client is allowed; 0 when this one is. `now` is monotonic. */
  take(client: string, now: number): number {
    if (this.#young.size >= this.#limit || now - this.#youngSince > this.#refillMs) {
      this.#old = now - this.#youngSince > 2 * this.#refillMs ? new Map() : this.#young;
      this.#young = new Map();
      this.#youngSince = now;
    }
    const known = this.#young.get(client) ?? this.#old.get(client);
    const taken = takeToken(this.#rate, known, now);
    this.#young.set(client, taken.allowed ? taken.fullAt : (known ?? now));
    return taken.allowed ? 0 : taken.retryAfterMs;
  }
}
