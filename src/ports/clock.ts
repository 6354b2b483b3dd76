/** Wall time in milliseconds since 1970, and timers, as the engine sees them; tests pass a clock of their own. */
export interface Clock {
  now(): number;
  /** Resolves after `ms`, or at once when the signal fires. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}
