import type { CliDeps } from './deps.ts';

export const INTERRUPTED = 130;

/**
 * Ctrl-C. The first one fires `signal`, and the command ends in its own way; the next one ends the process at once,
 * after what `onQuit` was given has put the terminal right.
 */
export interface Interrupt {
  signal: AbortSignal;
  onQuit(restore: () => void): () => void;
}

export function watchInterrupts(deps: Pick<CliDeps, 'onInterrupt' | 'exit'>): Interrupt & { stop(): void } {
  const controller = new AbortController();
  const restores = new Set<() => void>();
  const stop = deps.onInterrupt(() => {
    if (!controller.signal.aborted) {
      controller.abort();
      return;
    }
    for (const restore of restores) restore();
    deps.exit(INTERRUPTED);
  });
  return {
    signal: controller.signal,
    onQuit(restore) {
      restores.add(restore);
      return () => restores.delete(restore);
    },
    stop,
  };
}

/** What a command throws when Ctrl-C came at a point where nothing had been begun. */
export class Interrupted extends Error {
  constructor() {
    super('interrupted');
    this.name = 'Interrupted';
  }
}

/** The result of `work`, or `Interrupted` as soon as Ctrl-C comes. What `work` does later is of no interest. */
export async function interruptible<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  if (signal.aborted) throw new Interrupted();
  let stop = (): void => {};
  const interrupted = new Promise<never>((_, reject) => {
    stop = () => reject(new Interrupted());
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([work, interrupted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
