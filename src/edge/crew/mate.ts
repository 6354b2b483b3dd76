import type { NodeChild } from '../../platform/child.ts';
import { portId } from '../../platform/ipc-messages.ts';
import type { PortBinding } from '../../platform/ipc-messages.ts';
import type { HeldSocket } from '../../platform/revive-keeper.ts';
import type { Answer, AnswerTo, Ask, FollowerToLead, LeadToFollower, Order } from './messages.ts';
import { isQuestion } from './messages.ts';

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
  readonly #open = new Map<number, { resolve: (answer: Answer) => void; ended: () => void }>();
  #ended = false;
  #n = 0;
  /**
   * It receives traffic: it must have heard of a change before anybody is told that it is done, and it has the sockets.
   * Before, it has none. Who opens nothing has nothing to let go of when a port is to be had anew.
   */
  accepting = false;

  constructor(child: FollowerChild, hooks: MateHooks) {
    this.child = child;
    this.#hooks = hooks;
    child.onMessage((message) => this.#hear(message));
    // Once for all orders: what listens to a promise is kept, with all that it has, until that is settled.
    void child.exited.then(() => {
      this.#ended = true;
      for (const { ended } of this.#open.values()) ended();
    });
  }

  /**
   * What it answers. One that does not carry an order out in time is killed: it must not go on by what it was told
   * before. Rejects when it has ended, by whatever (then it sends nobody anywhere any more), or does not answer a question.
   */
  async order<O extends Order>(order: O, withinMs: number): Promise<AnswerTo<O>> {
    const n = ++this.#n;
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const ended = (): void => reject(new Error(`worker ${this.child.pid} ended instead of carrying out ${order.kind}`));
    const giveUp = (): void => {
      // Silence is no reason to end it while it serves as it should: the watchdog has more patience.
      if (isQuestion(order)) reject(new Error(`worker ${this.child.pid} does not say its ${order.kind}`));
      else this.child.kill('SIGKILL');
    };
    // In two steps: what held this process up itself is over by the second, and an answer may lie there.
    let timer = setTimeout(() => {
      timer = setTimeout(giveUp, CHECK_MS);
    }, withinMs);
    this.#open.set(n, { resolve, ended });
    if (this.#ended) ended();
    else this.child.send({ type: 'order', n, order });
    try {
      return (await promise) as AnswerTo<O>;
    } finally {
      clearTimeout(timer);
      this.#open.delete(n);
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
    if (message.type === 'done') this.#open.get(message.n)?.resolve(message.answer);
    else if (message.type === 'ask')
      this.child.send({ type: 'waits', n: message.n, waits: this.#hooks.waits(message.asks) });
    else if (message.type === 'give-back') this.#hooks.giveBack(message.name, message.client);
    else if (message.type === 'need') this.#need(message.ports);
  }

  /**
   * It is given every socket unasked, and before it is told to use it. So nothing is coming to one that waits; and who has
   * the port is not waiting.
   */
  #need(ports: readonly PortBinding[]): void {
    for (const { port, bind } of ports) this.child.send({ type: 'listen-failed', port, bind, code: 'EADDRNOTAVAIL' });
  }
}
