/**
 * What keeper, controller and edge say to each other over Node's IPC channel. A message that arrives with a handle says
 * so; the handle is a raw one, to be given to `server.listen(handle)`. The keeper binds but never accepts: it is the
 * first `listen` of an edge that lets connections in, and from then on the kernel keeps them whoever dies.
 */

export interface PortBinding {
  port: number;
  /** An IP address such as `127.0.0.1`, `0.0.0.0` or `::`. */
  bind: string;
}

export type KeeperToEdge =
  /** With a TCP handle. `id` is `bind:port`. Sent for all ports after the start (before `listen-all`), and for new ones. */
  | { type: 'listen'; id: string; port: number; bind: string }
  /** All ports that the keeper holds at the start have been sent: answer `ready` once they are served. */
  | { type: 'listen-all' }
  /** The keeper cannot have a port; `code` such as EADDRINUSE or EACCES. */
  | { type: 'listen-failed'; port: number; bind: string; code: string }
  /** Stop accepting on a port; the keeper has let go of it. */
  | { type: 'unlisten'; port: number; bind: string }
  /** Another edge has taken over: stop accepting, drain, answer `drained`, leave. */
  | { type: 'drain' }
  /** Everything stops: drain, answer `drained`, leave. Nobody takes over. */
  | { type: 'shutdown' };

export type EdgeToKeeper =
  /** Serving everything it was given. */
  | { type: 'ready'; pid: number }
  | { type: 'drained' }
  /**
   * The ports that are to be held from now on, all of them: new ones are answered by `listen` or `listen-failed` (and by
   * `listen` later, should it become possible), vanished ones let go once this edge serves. Safe to say again.
   */
  | { type: 'need'; ports: PortBinding[] };

export type KeeperToController =
  /** With a TCP handle, bound: the address of the dashboard, and of the API for others than commands. Before `api`, or later. */
  | { type: 'web'; port: number; bind: string }
  /** With a handle of the API's Unix socket, bound; requests wait in it while a controller restarts. */
  | { type: 'api' }
  /** Finish what you do and leave; instances stay. */
  | { type: 'shutdown' }
  /** How a hand-over ended that the controller asked for. */
  | { type: 'edge-restarted'; ok: boolean; reason: string };

export type ControllerToKeeper =
  /** The API answers. */
  | { type: 'ready' }
  /** Another controller acts; this one takes over when that one is gone. */
  | { type: 'standing-by' }
  /** Put a new edge in the place of the present one, without a lost connection. */
  | { type: 'restart-edge' }
  /** Keeper, edge and controller end; instances are the controller's business and were stopped before, or stay. */
  | { type: 'stop-all' };

/** Said by an edge that lost its keeper to the keeper that it started (see revive-keeper.ts). */
export type OrphanToKeeper =
  /** With a TCP handle. */
  | { type: 'adopt'; id: string; port: number; bind: string }
  /** All handles have been sent. `pid` is of the edge that sent them. */
  | { type: 'adopt-all'; pid: number };

export type KeeperToOrphan =
  /** Another keeper runs already: drain and leave, its edge serves. */
  | { type: 'superfluous'; keeperPid: number | null }
  /** A new edge serves: drain and leave. Until then, go on serving. */
  | { type: 'drain' };

export const portId = ({ port, bind }: PortBinding): string => `${bind}:${port}`;
