/** Streams that a client may give up at once, and for each second after that: more than a browser that scrolls. */
const BURST = 200;
const PER_SECOND = 25;

/**
 * Notices a client that opens streams only to give them up: each costs a request here and behind, and never counts
 * against the number of streams that may be open (CVE-2023-44487). Pure; `now` is monotonic milliseconds.
 */
export class ResetLimit {
  #spent = 0;
  #at = 0;

  /** One more was given up; true when it was one too many. */
  count(now: number): boolean {
    this.#spent = Math.max(0, this.#spent - ((now - this.#at) / 1_000) * PER_SECOND) + 1;
    this.#at = now;
    return this.#spent > BURST;
  }
}
