/** Something with a time limit that needs no better precision than a fifth of a second. */
export interface Swept {
  sweep(now: number): void;
}

const TICK_MS = 200;

/** One timer for all requests: a timer for each would be the most expensive part of a short one. */
export class Sweeper {
  readonly #all = new Set<Swept>();
  readonly #timer: NodeJS.Timeout;

  constructor() {
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.#timer.unref();
  }

  get size(): number {
    return this.#all.size;
  }

  add(each: Swept): void {
    this.#all.add(each);
  }

  delete(each: Swept): void {
    this.#all.delete(each);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #tick(): void {
    const now = performance.now();
    for (const each of this.#all) each.sweep(now);
  }
}
