/** An interval older than that is part of no verdict. */
const REMEMBERED_MS = 27 * 3_600_000;

/**
 * The requests that this controller has sent to instances at their own addresses and had answered, in the intervals of
 * Cloud Monitoring: nobody else can tell them from those of users. What a former controller sent is not known, so nothing
 * that was counted before this one began can be told apart.
 */
export class OwnRequests {
  /** Wall time, ms, from which on they are known. */
  readonly since: number;
  readonly #periodMs: number;
  /** By instance, and by the end of the interval: how many of each class (index 4 is 5xx). */
  readonly #answered = new Map<string, Map<number, number[]>>();

  constructor(periodMs: number, now: number) {
    this.#periodMs = periodMs;
    this.since = now;
  }

  /** One was answered with this status; `now`: wall time, ms. */
  answered(instance: string, status: number, now: number): void {
    const until = (Math.floor(now / this.#periodMs) + 1) * this.#periodMs;
    const intervals = this.#answered.get(instance) ?? new Map<number, number[]>();
    this.#answered.set(instance, intervals);
    const classes = intervals.get(until) ?? this.#begin(intervals, until);
    const index = Math.floor(status / 100) - 1;
    classes[index] = (classes[index] ?? 0) + 1;
  }

  of(instance: string, until: number): readonly number[] {
    return this.#answered.get(instance)?.get(until) ?? [];
  }

  #begin(intervals: Map<number, number[]>, until: number): number[] {
    const classes = [0, 0, 0, 0, 0];
    intervals.set(until, classes);
    const [oldest] = intervals.keys();
    if (oldest !== undefined && oldest < until - REMEMBERED_MS) intervals.delete(oldest);
    // Instances that nobody has asked for so long are forgotten with all that was asked of them.
    for (const [instance, each] of this.#answered)
      if (([...each.keys()].at(-1) ?? 0) < until - REMEMBERED_MS) this.#answered.delete(instance);
    return classes;
  }
}
