import type { JsonObject } from '../json.ts';

export interface LoggedCall {
  /** Id of the method; `unknown` when no method has the path. */
  method: string;
  /** Such as `run.v2`. */
  document: string;
  httpMethod: string;
  path: string;
  /** HTTP status of the answer; 0 while there is none, or when the connection was cut. */
  status: number;
}

/** How many are kept, the newest. */
const MOST = 20_000;

/** Every call that was made, so that tests can count them. */
export class Calls {
  private entries: LoggedCall[] = [];
  private readonly breaches: string[] = [];

  begin(call: Omit<LoggedCall, 'status'>): LoggedCall {
    const entry = { ...call, status: 0 };
    this.entries.push(entry);
    if (this.entries.length > MOST) this.entries.shift();
    return entry;
  }

  clear(): void {
    this.entries = [];
  }

  list(): readonly LoggedCall[] {
    return this.entries;
  }

  /** Replies of the emulator's own that the schemas forbid; a test that finds one has found a bug of the emulator. */
  breach(what: string): void {
    this.breaches.push(what);
  }

  violations(): readonly string[] {
    return this.breaches;
  }

  /** As JSON: all calls, and how many of each method. */
  report(): JsonObject {
    const counts: Record<string, number> = {};
    for (const { method } of this.entries) counts[method] = (counts[method] ?? 0) + 1;
    return {
      total: this.entries.length,
      counts,
      calls: this.entries.map((entry) => ({ ...entry })),
      violations: [...this.breaches],
    };
  }
}
