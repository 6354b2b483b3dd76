/** One line of the table: what was measured, beside its budget. */
export interface Row {
  /** Stable, for scripts. */
  readonly id: string;
  readonly what: string;
  readonly budget: string;
  /** The figure that the budget is about; null when it could not be measured here. */
  readonly measured: number | null;
  readonly unit: string;
  /** Whether the budget is met; null when that cannot be said. */
  readonly ok: boolean | null;
  /** Everything else worth knowing, in words. */
  readonly detail: string;
  /** All figures behind it. */
  readonly figures: Readonly<Record<string, number>>;
  /** The same figure of other programs, measured in the same run. */
  readonly peers?: Readonly<Record<string, number>>;
}

/** What every part of the bench is given. */
export interface Bench {
  readonly quick: boolean;
  /** An empty folder, removed at the end with everything that runs in it. */
  readonly folder: string;
  /** Fires when the person at the keyboard has had enough. */
  readonly signal: AbortSignal;
  /** Says how far it is. */
  say(progress: string): void;
  /** Called last in, first out when the bench ends, however it ends. */
  onEnd(stop: () => Promise<void>): void;
}
