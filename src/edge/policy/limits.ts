import type { Rate } from '../../domain/traffic/rate.ts';
import { RateLimiter } from '../../domain/traffic/rate-limiter.ts';

/** Says how long a client has to wait, ms; 0: not at all, and the request is counted. `now` is monotonic. */
export interface Limiter {
  take(client: string, now: number): number | Promise<number>;
  /** What was taken did not count after all. */
  giveBack(client: string): void;
  /** No request comes here any more. */
  end?(): void;
}

/** The limiter of a name, whose buckets are those of no other name. */
export type LimiterFor = (name: string, rate: Rate) => Limiter;

/** The limits that this process decides about, for itself and for workers that ask it. */
export class Limits {
  readonly #known = new Map<string, { rate: string; limiter: RateLimiter }>();

  readonly for = (name: string, rate: Rate): Limiter => {
    const limiter = new RateLimiter(rate);
    const known = { rate: JSON.stringify(rate), limiter };
    this.#known.set(name, known);
    return {
      take: (client, now) => limiter.take(client, now),
      giveBack: (client) => limiter.giveBack(client),
      end: () => {
        // The name may be another limit's by now.
        if (this.#known.get(name) === known) this.#known.delete(name);
      },
    };
  };

  get size(): number {
    return this.#known.size;
  }

  /** For somebody else. */
  giveBack(name: string, client: string): void {
    this.#known.get(name)?.limiter.giveBack(client);
  }

  /** For somebody else; null when the limit is not known here, or is another one. */
  take(name: string, rate: Rate, client: string, now: number): number | null {
    const known = this.#known.get(name);
    return known?.rate === JSON.stringify(rate) ? known.limiter.take(client, now) : null;
  }
}
