import type { NodeChild } from '../../platform/child.ts';
import { portId } from '../../platform/ipc-messages.ts';
import type { PortBinding } from '../../platform/ipc-messages.ts';
import type { HeldSocket } from '../../platform/revive-keeper.ts';
import type { Answer, Ask, FollowerToLead, LeadToFollower, Order } from './messages.ts';

export type FollowerChild = NodeChild<FollowerToLead, LeadToFollower>;

export interface MateHooks {
  /** The sockets on which the lead listens now. */
  sockets: () => HeldSocket[];
  /** How long clients have to wait, ms, one for each; null for a limit that is not known here. */
  waits: (asks: readonly Ask[]) => (number | null)[];
  giveBack: (name: string, client: string) => void;
}

const CHECK_MS = 100;

/** A follower, as its lead has it. */
export class Mate {
  readonly child: FollowerChild;
  readonly #hooks: MateHooks;
  /** By address. */
  readonly #given = new Map<string, HeldSocket>();
  readonly #open = new Map<number, (answer: Answer) => void>();
  #n = 0;
  /** It receives traffic, so it must have heard of a change before anybody is told that it is done. */
  accepting = false;

  constructor(child: FollowerChild, hooks: MateHooks) {
    this.child = child;
    this.#hooks = hooks;
    child.onMessage((message) => this.#hear(message));
    this.share();
  }

  /**
   * What it answers. One that does not carry an order out in time is killed: it must not go on by what it was told
   * before. Rejects when it has ended, by whatever (then it sends nobody anywhere any more), or has nothing to report.
   */
  async order(order: Order, withinMs: number): Promise<Answer> {
    const n = ++this.#n;
    const answer = new Promise<Answer>((resolve) => this.#open.set(n, resolve));
    this.child.send({ type: 'order', n, order });
    const late = Promise.withResolvers<never>();
    const ended = this.child.exited.then(() => {
      throw new Error(`worker ${this.child.pid} ended instead of carrying out ${order.kind}`);
    });
    const giveUp = (): void => {
      // Silence is no reason to end it while it serves as it should: the watchdog has more patience.
      if (order.kind === 'report') late.reject(new Error(`worker ${this.child.pid} does not report`));
      else this.child.kill('SIGKILL');
    };
    // In two steps: what held this process up itself is over by the second, and an answer may lie there.
    let timer = setTimeout(() => {
      timer = setTimeout(giveUp, CHECK_MS);
    }, withinMs);
    try {
      return await Promise.race([answer, ended, late.promise]);
    } finally {
      clearTimeout(timer);
      this.#open.delete(n);
      ended.catch(() => undefined);
    }
  }

  /** Gives it every socket on which the lead listens, and has it close those on which it does no more. */
  share(): void {
    const sockets = new Map(this.#hooks.sockets().map((socket) => [portId(socket), socket]));
    for (const [id, { port, bind, handle }] of this.#given) {
      if (sockets.get(id)?.handle === handle) continue;
      this.#given.delete(id);
      this.child.send({ type: 'unlisten', port, bind });
    }
    for (const [id, socket] of sockets) {
      if (this.#given.has(id)) continue;
      this.#given.set(id, socket);
      this.child.send({ type: 'listen', id, port: socket.port, bind: socket.bind }, socket.handle);
    }
  }

  #hear(message: FollowerToLead): void {
    if (message.type === 'done') this.#open.get(message.n)?.(message.answer);
    else if (message.type === 'ask')
      this.child.send({ type: 'waits', n: message.n, waits: this.#hooks.waits(message.asks) });
    else if (message.type === 'give-back') this.#hooks.giveBack(message.name, message.client);
    else if (message.type === 'need') this.#need(message.ports);
  }

  /** Where the lead does not listen nobody can; when it does, this one is given the socket unasked. */
  #need(ports: readonly PortBinding[]): void {
    this.share();
    for (const { port, bind } of ports)
      if (!this.#given.has(portId({ port, bind })))
        this.child.send({ type: 'listen-failed', port, bind, code: 'EADDRNOTAVAIL' });
  }
}
