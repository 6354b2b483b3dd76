import type { Rate } from '../../domain/traffic/rate.ts';
import type { Limiter } from '../policy/limits.ts';
import { RateLimiter } from '../../domain/traffic/rate-limiter.ts';
import type { Ask, FollowerToLead } from './messages.ts';

/** Longer than a busy lead needs, and not so long that clients notice one that hangs. */
const PATIENCE_MS = 500;
/** Who was told to wait is not asked about again before; so many are remembered at most. */
const MOST_WAITING = 10_000;

/**
 * Limits of a follower: the lead decides, so that a limit is what it says however connections are spread. What is asked
 * in one turn of the event loop goes in one message. Without an answer this worker lets pass its share of the limit.
 */
export class AskedLimits {
  readonly #send: (message: FollowerToLead) => boolean;
  readonly #workers: number;
  #asks: { ask: Ask; answer: (wait: number | null) => void }[] = [];
  readonly #open = new Map<number, (waits: (number | null)[]) => void>();
  #n = 0;

  constructor(send: (message: FollowerToLead) => boolean, workers: number) {
    this.#send = send;
    this.#workers = workers;
  }

  readonly for = (name: string, rate: Rate): Limiter => {
    const share = new RateLimiter({
      ...rate,
      requests: rate.requests / this.#workers,
      burst: Math.max(1, Math.floor(rate.burst / this.#workers)),
    });
    /** Until when a bucket cannot have filled, unless something is given back to it. */
    const waiting = new Map<string, number>();
    return {
      giveBack: (client) => {
        waiting.delete(client);
        this.#send({ type: 'give-back', name, client });
      },
      take: (client, now) => {
        const until = waiting.get(client);
        if (until !== undefined) {
          if (until > now) return until - now;
          waiting.delete(client);
        }
        return this.#ask({ name, rate, client }).then((wait) => {
          if (wait === null) return share.take(client, performance.now());
          if (wait > 0 && waiting.size < MOST_WAITING) waiting.set(client, now + wait);
          else if (wait > 0) waiting.clear();
          return wait;
        });
      },
    };
  };

  answered(n: number, waits: (number | null)[]): void {
    this.#open.get(n)?.(waits);
  }

  #ask(ask: Ask): Promise<number | null> {
    return new Promise((resolve) => {
      this.#asks.push({ ask, answer: resolve });
      if (this.#asks.length === 1) setImmediate(() => this.#flush());
    });
  }

  #flush(): void {
    const asks = this.#asks;
    this.#asks = [];
    const n = ++this.#n;
    const settle = (waits: (number | null)[]): void => {
      clearTimeout(timer);
      this.#open.delete(n);
      for (const [index, { answer }] of asks.entries()) answer(waits[index] ?? null);
    };
    const timer = setTimeout(() => settle([]), PATIENCE_MS);
    this.#open.set(n, settle);
    if (!this.#send({ type: 'ask', n, asks: asks.map(({ ask }) => ask) })) settle([]);
  }
}
