import type { LoadReport } from '../load/report.ts';

/** People who use one kind of server, each in their own way; runs in a process of its own (`run-users.ts`). */
export interface Users<Extra extends object> {
  /** Sends nothing new, waits for what is under way, looks whether all that was acknowledged is kept, and tells. */
  stop(): Promise<LoadReport & Extra>;
}

/** What a process with users is told. */
export interface UsersOptions {
  readonly port: number;
  /** Things begun in a second, whatever the replies do (open loop). */
  readonly rate: number;
  readonly timeoutMs: number;
  /** Where the protocol's own client is installed, for users that speak through one. */
  readonly clientFolder?: string;
}
