/** What a load saw. Times are epoch milliseconds, durations milliseconds. */

export type FailureKind =
  | 'refused'
  | 'reset'
  | 'truncated'
  | 'timeout'
  | '5xx'
  /** A status below 500 that was not expected, such as the 404 of a proxy that lost its routes. */
  | 'status'
  /** The reply came whole, and was wrong. */
  | 'wrong-body'
  /** A WebSocket ended without 1001 or 1012. */
  | 'ws-abnormal'
  /** After 1001 or 1012, the first attempt to come back failed. */
  | 'ws-reconnect'
  /** A WebSocket answered a later echo, and never this one. */
  | 'ws-lost-echo'
  | 'sse-lost-event'
  /** None of the above; see the detail. */
  | 'other';

export interface Failure {
  readonly at: number;
  /** When its connection was opened. */
  readonly openedAt: number;
  readonly kind: FailureKind;
  /** Name of the request kind, `ws` or `sse`. */
  readonly what: string;
  readonly detail: string;
  readonly version?: string;
}

export interface Latency {
  readonly requests: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

export interface VersionCount {
  readonly requests: number;
  readonly status5xx: number;
  readonly firstAt: number;
  readonly lastAt: number;
}

export interface Second {
  /** Epoch seconds. */
  readonly second: number;
  readonly answered: number;
  readonly failed: number;
  /** Who answered; replies that name no version are under `none`. */
  readonly versions: Readonly<Record<string, number>>;
}

export interface LoadReport {
  readonly startedAt: number;
  readonly endedAt: number;
  /** Every HTTP request sent, the handshakes of event streams and WebSockets included: what a proxy should count too. */
  readonly requests: number;
  readonly sent: { readonly http: number; readonly posts: number; readonly sse: number; readonly ws: number };
  /** Failures of the system under load; what releases that are bad on purpose did is in `badRelease`. */
  readonly failed: number;
  readonly failures: Readonly<Partial<Record<FailureKind, number>>>;
  /** The first five of each kind. */
  readonly examples: readonly Failure[];
  /** The first thousands of all kinds, so that they can be laid beside what was done to the system. */
  readonly history: readonly Failure[];
  /** 5xx replies of the releases in `expectBadVersions`. */
  readonly badRelease: Readonly<Record<string, number>>;
  readonly byStatus: Readonly<Record<string, number>>;
  readonly byVersion: Readonly<Record<string, VersionCount>>;
  /** Until the whole reply was there; kinds marked as slow are only in `latencyByKind`. */
  readonly latency: Latency;
  readonly latencyByKind: Readonly<Record<string, Latency>>;
  /** How late requests were sent: large values mean that this machine, not the target, was too slow. */
  readonly lateness: Latency;
  /** Due, but not sent because too many were under way. */
  readonly skipped: number;
  readonly ws: {
    readonly opened: number;
    readonly reconnects: number;
    readonly echoes: number;
    /** Sent on a WebSocket that was then closed in good order before the answer came. */
    readonly unanswered: number;
    readonly closes: Readonly<Record<string, number>>;
  };
  readonly sse: {
    readonly opened: number;
    readonly reconnects: number;
    readonly events: number;
    readonly lost: number;
    readonly duplicates: number;
  };
  readonly timeline: readonly Second[];
}
