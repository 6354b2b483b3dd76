/** How long what was read counts, and how long it is not tried again after a failure, ms. */
export interface Keeping {
  readonly goodMs: number;
  readonly badMs: number;
}

/**
 * What `load` answers, asked for once at a time and kept for a while; a failure is kept, too: who asks a thousand times asks
 * the other end once.
 */
export function remembered<T>(load: () => Promise<T>, { goodMs, badMs }: Keeping, now: () => number): () => Promise<T> {
  let kept: { readonly value: Promise<T>; until: number } | null = null;
  return () => {
    if (kept !== null && now() < kept.until) return kept.value;
    const mine = { value: load(), until: Infinity };
    kept = mine;
    mine.value.then(
      () => (mine.until = now() + goodMs),
      () => (mine.until = now() + badMs),
    );
    return mine.value;
  };
}
