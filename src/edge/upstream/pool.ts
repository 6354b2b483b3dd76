import { UpstreamConnection } from './connection.ts';

/**
 * A server may close an idle connection just when a request is written to it. What can be sent again is; for the rest
 * only a connection that was used a moment ago is good enough.
 */
const FRESH_MS = 1_000;

/** The connections to one instance, last used first. */
export class UpstreamPool {
  readonly #port: number;
  readonly #idle: UpstreamConnection[] = [];
  readonly #all = new Set<UpstreamConnection>();
  #closing = false;

  constructor(port: number) {
    this.#port = port;
  }

  /** A free connection, or a new one that connects by itself. `careful`: the request cannot be sent twice. */
  take(careful: boolean): UpstreamConnection {
    if (this.#idle.length > 0) {
      const now = performance.now();
      for (let free = this.#idle.pop(); free !== undefined; free = this.#idle.pop()) {
        const idle = now - free.idleSince;
        if (free.usable && idle < free.idleLimitMs && (!careful || idle < FRESH_MS)) return free;
        if (!careful || idle >= free.idleLimitMs) {
          free.destroy();
          continue;
        }
        // Old for a careful request, still good for others; all below it are older.
        this.#idle.push(free);
        break;
      }
    }
    return this.open();
  }

  /** Always a new connection. */
  open(): UpstreamConnection {
    const connection = new UpstreamConnection(this.#port, this);
    this.#all.add(connection);
    return connection;
  }

  released(connection: UpstreamConnection): void {
    if (this.#closing) connection.destroy();
    else this.#idle.push(connection);
  }

  gone(connection: UpstreamConnection): void {
    this.#all.delete(connection);
    const at = this.#idle.indexOf(connection);
    if (at >= 0) this.#idle.splice(at, 1);
  }

  /** Closes connections that were idle for too long; called every second or so. */
  sweep(now: number): void {
    for (const connection of this.#idle.filter((each) => now - each.idleSince >= each.idleLimitMs))
      connection.destroy();
  }

  /** Closes idle connections now and the others as they become free. */
  close(): void {
    this.#closing = true;
    for (const connection of [...this.#idle]) connection.destroy();
  }

  /** Drops everything, whatever it carries. */
  destroy(): void {
    this.close();
    for (const connection of [...this.#all]) connection.destroy();
  }
}
