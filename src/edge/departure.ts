import type { Listeners } from './listen/listeners.ts';
import type { EdgeOptions } from './options.ts';
import type { ProxyContext } from './proxy/context.ts';
import { endSpread } from './stream/long-lived.ts';

/** Part of a drain over which long-lived connections are ended. */
const SPREAD_SHARE = 0.5;
const LOOK_MS = 50;

/** How an edge finishes what it has: unhurried when another one has taken over, quick when nobody will. */
export class Departure {
  readonly #options: EdgeOptions;
  readonly #context: ProxyContext;
  readonly #listeners: Listeners;
  /** Monotonic; what is not finished by then is cut off. */
  #end = Number.POSITIVE_INFINITY;
  #hurry: () => void = () => undefined;
  readonly #hurried: Promise<void>;

  constructor(options: EdgeOptions, context: ProxyContext, listeners: Listeners) {
    this.#options = options;
    this.#context = context;
    this.#listeners = listeners;
    this.#hurried = new Promise((resolve) => {
      this.#hurry = resolve;
    });
  }

  /** Accepts nothing more; resolves when everything has ended, or had its time. Called once. */
  async run(): Promise<void> {
    const { drainMs, idleGraceMs } = this.#options;
    this.#context.draining = true;
    const deserted = this.#listeners.stopAccepting();
    if (!this.#context.stopping) endSpread(this.#context.longLived, drainMs * SPREAD_SHARE);
    this.#end = Math.min(this.#end, performance.now() + drainMs);
    // Idle clients get time to be told so; with nobody connected there is nobody to be told.
    await Promise.race([deserted, pause(idleGraceMs), this.#hurried]);
    for (;;) {
      this.#listeners.closeIdle();
      if (this.#context.inFlight === 0 || performance.now() >= this.#end) return;
      await pause(LOOK_MS);
    }
  }

  /** Nobody takes over: waiting for anything is of no use, and everybody is told now. Before or during `run`. */
  hurry(): void {
    this.#context.stopping = true;
    this.#end = Math.min(this.#end, performance.now() + this.#options.shutdownMs);
    endSpread(this.#context.longLived, 0);
    this.#hurry();
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
