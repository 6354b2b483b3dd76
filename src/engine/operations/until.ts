import { EvenkeelError } from '../../ports/errors.ts';
import type { Engine } from '../engine.ts';

/** Waits for a condition that the loops bring about; it is asked after every look, and now and then besides. */
export async function until(
  engine: Engine,
  condition: () => Promise<boolean>,
  options: { what: string; timeoutMs: number },
): Promise<void> {
  const { clock } = engine.deps;
  const deadline = clock.now() + options.timeoutMs;
  let wake: AbortController = new AbortController();
  const off = engine.onLook(() => wake.abort());
  try {
    for (;;) {
      wake = new AbortController();
      if (await condition()) return;
      const left = deadline - clock.now();
      if (left <= 0)
        throw new EvenkeelError({
          code: 'timeout',
          what: `waited ${options.timeoutMs / 1000} s for ${options.what}`,
          next: 'evenkeel status shows where it stands',
          retryable: true,
          exit: 2,
        });
      await clock.sleep(Math.min(left, 500), wake.signal);
    }
  } finally {
    off();
  }
}
