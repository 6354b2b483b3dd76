import type { Challenges } from '../acme/challenges.ts';
import type { LiveService } from '../live/service.ts';
import type { EdgeOptions } from '../options.ts';
import type { CounterBook } from '../stats/counters.ts';
import type { LongLived } from '../stream/long-lived.ts';
import type { LimiterFor } from '../policy/limits.ts';
import type { LivePolicy } from '../policy/live-policy.ts';
import type { Sweeper } from './sweeper.ts';

/** What every request of this process shares. */
export interface ProxyContext {
  readonly options: EdgeOptions;
  readonly book: CounterBook;
  readonly sweeper: Sweeper;
  /** All WebSockets and event streams of this process. */
  readonly longLived: Set<LongLived>;
  /** Requests that are being answered. */
  inFlight: number;
  /** This process leaves: connections end with their reply. */
  draining: boolean;
  /** And nobody takes over. */
  stopping: boolean;
  /** Another process decides about the table: whether it has is looked up before every request. */
  lookUp: (() => void) | null;
  /** The service as it is now, by key. */
  service(key: string): LiveService | undefined;
  /** Whether an address is a proxy whose word about its clients counts. */
  trusts(address: string): boolean;
  /** Whether a probe's token is ours. */
  isProbe(token: string): boolean;
  /** Whether TLS is served at an address (`bind:port`) now. */
  servesTls(address: string): boolean;
  /** What whoever issues certificates is answered. */
  readonly challenges: Challenges;
  /** Who counts what clients may do, and how often. */
  readonly limiterFor: LimiterFor;
}

/** What a listener found for a request. */
export interface Target {
  readonly key: string;
  /** A preview shows this release, whatever its weight, and nothing of it is counted. */
  readonly pinned: string | null;
  /** The release that belongs to whoever asks at this port: it answers as long as it can. */
  readonly preferred?: string | null;
  /** It came in over TLS: what its replies say as `Strict-Transport-Security`, or null for nothing. */
  readonly hsts?: string | null;
  /** It came in plainly: clients are sent to this port, as long as TLS is served at `address`. */
  readonly redirect?: { readonly port: number; readonly address: string };
  /** Who is let in here, and what is said about it. */
  readonly policy?: LivePolicy | undefined;
  /** A generous reading of its path leads to another policy. */
  readonly ambiguous?: boolean;
}
