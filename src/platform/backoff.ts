/** ms; the first is the time in which a crash is hardly noticed, the last leaves a broken machine in peace. */
const FIRST = 25;
const LAST = 5_000;
/** Who ran for this long, ms, was well: its end is a new story. */
const STABLE = 10_000;

/** How long to wait before the next start: grows with each short life, starts over after a long one. */
export function restartDelays(): { afterLife: (ms: number) => number } {
  let next = FIRST;
  return {
    afterLife(ms) {
      if (ms >= STABLE) next = FIRST;
      const delay = next;
      next = Math.min(next * 2, LAST);
      return delay;
    },
  };
}
