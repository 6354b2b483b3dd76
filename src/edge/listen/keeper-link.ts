import { parentLink } from '../../platform/child.ts';
import type { EdgeToKeeper, KeeperToEdge, PortBinding } from '../../platform/ipc-messages.ts';
import { portId } from '../../platform/ipc-messages.ts';

/** A listening socket held by the keeper, or the code why there is none. */
export type Granted = { readonly handle: unknown } | { readonly code: string };

/** For the keeper to bind a port. */
const GRANT_TIMEOUT_MS = 5_000;

export interface KeeperEvents {
  /** Another edge serves. */
  drain(): void;
  /** Everything stops. */
  shutdown(): void;
  unlisten(address: PortBinding): void;
  /** A port that could not be had before can be had now. */
  gained(): void;
  /** The keeper is gone; listening sockets are still ours. */
  lost(): void;
}

/** The edge's end of the channel to its keeper; without a keeper (development, bench) the edge binds for itself. */
export class KeeperLink {
  readonly #link = parentLink<KeeperToEdge, EdgeToKeeper>();
  /** What came before anybody asked: a keeper gives a new edge all it holds. */
  readonly #early = new Map<string, Granted>();
  readonly #waiting = new Map<string, (granted: Granted) => void>();

  constructor(events: KeeperEvents) {
    this.#link?.onMessage((message, handle) => {
      switch (message.type) {
        case 'listen':
          if (this.#grant(message, { handle }) === 'early') events.gained();
          break;
        case 'listen-failed':
          this.#grant(message, { code: message.code });
          break;
        case 'unlisten':
          this.#forget(portId(message));
          events.unlisten(message);
          break;
        case 'drain':
          events.drain();
          break;
        case 'shutdown':
          events.shutdown();
          break;
        case 'listen-all':
          break;
      }
    });
    this.#link?.onDisconnect(() => events.lost());
  }

  get attached(): boolean {
    return this.#link?.connected === true;
  }

  /** Says which ports are wanted from now on, all of them: the keeper lets go of the others. */
  want(ports: readonly PortBinding[]): void {
    this.#link?.send({ type: 'need', ports: [...ports] });
  }

  /** The sockets for ports that were wanted; `ETIMEDOUT` when the keeper says nothing. */
  async grants(ports: readonly PortBinding[]): Promise<Map<string, Granted>> {
    const entries = ports.map(async (port): Promise<[string, Granted]> => [
      portId(port),
      await this.#await(portId(port)),
    ]);
    return new Map(await Promise.all(entries));
  }

  /** Lets go of sockets that came and that nobody took: others are to come in their place. */
  forget(ports: readonly PortBinding[]): void {
    for (const port of ports) this.#forget(portId(port));
  }

  ready(): void {
    this.#link?.send({ type: 'ready', pid: process.pid });
  }

  drained(): void {
    this.#link?.send({ type: 'drained' });
  }

  /** A socket that nobody took: while it is open here, nobody else could have the port. */
  #forget(name: string): void {
    const granted = this.#early.get(name);
    if (granted !== undefined && 'handle' in granted) (granted.handle as { close(): void }).close();
    this.#early.delete(name);
  }

  #grant(address: PortBinding, granted: Granted): 'asked' | 'early' {
    const name = portId(address);
    const waiting = this.#waiting.get(name);
    if (waiting === undefined) {
      // A refusal that nobody waits for is told again when the port is wanted again.
      if (!('handle' in granted)) return 'early';
      this.#forget(name);
      this.#early.set(name, granted);
      return 'early';
    }
    waiting(granted);
    return 'asked';
  }

  #await(name: string): Promise<Granted> {
    const granted = this.#early.get(name);
    if (granted !== undefined) {
      this.#early.delete(name);
      return Promise.resolve(granted);
    }
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#waiting.get(name)?.({ code: 'ETIMEDOUT' }), GRANT_TIMEOUT_MS);
      this.#waiting.set(name, (answer) => {
        clearTimeout(timer);
        this.#waiting.delete(name);
        resolve(answer);
      });
    });
  }
}
