/** A connection that may last for days: it must be asked to end, at a moment that costs its client nothing. */
export interface LongLived {
  /** Ends at the next frame or event boundary; again asked, does nothing. */
  endSoftly(): void;
}

/** Ends all of them, evenly spread over a time in milliseconds, the first at once. Timers do not keep a process alive. */
export function endSpread(all: Iterable<LongLived>, overMs: number): void {
  const list = [...all];
  list.forEach((each, index) => {
    const delay = (index / list.length) * overMs;
    if (delay < 1) each.endSoftly();
    else setTimeout(() => each.endSoftly(), delay).unref();
  });
}
