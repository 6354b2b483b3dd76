/** Enough to keep a disk busy, few enough file descriptors. */
const AT_ONCE = 16;

/** Does the work for each item, several at a time; the first error ends it, and nothing is under way any more when it rejects. */
export async function eachOf<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  let failed = false;
  const worker = async (): Promise<void> => {
    while (!failed && next < items.length) {
      const item = items[next++] as T;
      try {
        await work(item);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const ended = await Promise.allSettled(Array.from({ length: Math.min(AT_ONCE, items.length) }, worker));
  const rejected = ended.find((each) => each.status === 'rejected');
  if (rejected !== undefined) throw rejected.reason;
}

/** One after the other for each key. */
export class Queues {
  readonly #last = new Map<string, Promise<unknown>>();

  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key) ?? Promise.resolve();
    const run = before.then(work, work);
    this.#last.set(key, run);
    try {
      return await run;
    } finally {
      if (this.#last.get(key) === run) this.#last.delete(key);
    }
  }
}

/**
 * Files are added by many at once, and deleted by one alone: an object that no tree links to yet looks like one that
 * none links to any more. `shared` work must not ask for `shared` again.
 */
export class Gate {
  readonly #inside = new Set<Promise<unknown>>();
  #closed: Promise<unknown> = Promise.resolve();

  async shared<T>(work: () => Promise<T>): Promise<T> {
    for (let closed = this.#closed; ; closed = this.#closed) {
      await closed;
      if (closed === this.#closed) break;
    }
    const run = work();
    this.#inside.add(run);
    try {
      return await run;
    } finally {
      this.#inside.delete(run);
    }
  }

  exclusive<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#closed;
    const run = (async () => {
      await before;
      await Promise.allSettled([...this.#inside]);
      return work();
    })();
    this.#closed = run.catch(() => undefined);
    return run;
  }
}
