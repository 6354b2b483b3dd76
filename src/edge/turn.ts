/** What must not happen at once: one thing after the other, in the order in which they were asked for. */
export class Turn {
  #last: Promise<unknown> = Promise.resolve();

  /** Rejects when `work` does; what comes after it runs all the same. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => undefined);
    return result;
  }

  /** Resolves when all is done that was asked for until now. */
  async done(): Promise<void> {
    await this.#last;
  }
}
