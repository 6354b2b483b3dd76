/**
 * Brings what several hands send into one sequence. Whoever sends waits until it has been taken, so nothing piles up; once
 * the reader has left, or the channel is closed, nothing is taken any more and nobody waits.
 */
export class Channel<T> implements AsyncIterable<T> {
  #waiting: { item: T; taken: () => void }[] = [];
  #wake: (() => void) | null = null;
  #closed = false;

  send(item: T): Promise<void> {
    if (this.#closed) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.push({ item, taken: resolve });
      this.#wake?.();
    });
  }

  /** What was sent before is still read. */
  close(): void {
    this.#closed = true;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    try {
      for (;;) {
        const next = this.#waiting.shift();
        if (next !== undefined) {
          yield next.item;
          next.taken();
        } else if (this.#closed) return;
        else {
          await new Promise<void>((resolve) => (this.#wake = resolve));
          this.#wake = null;
        }
      }
    } finally {
      this.#closed = true;
      for (const { taken } of this.#waiting.splice(0)) taken();
    }
  }
}
