/**
 * What keeper and edge say to each other over their IPC channel. A listening socket travels beside its message, as the
 * handle of `process.send`: either a bound native handle or a `net.Server`, since `server.listen()` takes both.
 */

export interface ListenAddress {
  readonly port: number;
  readonly bind: string;
}

export type KeeperToEdge =
  /** Comes with the handle. */
  | { type: 'listen'; id: string; port: number; bind: string }
  /** The keeper could not bind what the edge asked for; `code` such as `EADDRINUSE`. */
  | { type: 'listen-failed'; port: number; bind: string; code: string }
  | { type: 'unlisten'; port: number; bind?: string }
  /** A successor answers: stop accepting, finish, leave. */
  | { type: 'drain' }
  | { type: 'shutdown' };

export type EdgeToKeeper =
  | { type: 'ready'; pid: number }
  | { type: 'drained' }
  /** Answered by one `listen` or `listen-failed` for each. */
  | { type: 'need'; ports: ListenAddress[] }
  /** No service uses these any more; the keeper may close them. */
  | { type: 'unneeded'; ports: ListenAddress[] };
