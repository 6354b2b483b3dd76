/** A request that waits for an instance. */
export interface Waiting {
  /** There may be an instance now. Whoever is not served waits on. */
  retry(): void;
}

/** Requests of one service that wait for an instance, first come first served, bounded. */
export class HoldQueue {
  readonly #limit: number;
  readonly #waiting = new Set<Waiting>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** False when the queue is full. */
  add(request: Waiting): boolean {
    if (this.#waiting.size >= this.#limit) return false;
    this.#waiting.add(request);
    return true;
  }

  delete(request: Waiting): void {
    this.#waiting.delete(request);
  }

  /** Lets everybody try again. */
  wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const request of waiting) request.retry();
  }
}
