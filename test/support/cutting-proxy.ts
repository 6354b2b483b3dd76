import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** What becomes of the client's next message that holds a certain text. */
export type Cut =
  /** It never arrives, and the connection is gone. */
  | 'before'
  /** It arrives, and the connection is gone before the answer. */
  | 'after'
  /** It never arrives, and neither side is told: a network that fell silent. */
  | 'silent';

/** A way to a Unix socket through a loopback port, which can be cut. */
export interface CuttingProxy {
  host: string;
  port: number;
  /** Cuts every connection now. */
  cutAll(): void;
  /** Once, when a client says this. */
  cutAt(text: string, how: Cut): void;
  /** The same for those clients alone that said this when they came, such as their `application_name`; null: for nobody. */
  freezeClient(text: string | null): void;
  /** While frozen nothing is passed on in either direction, and new connections are accepted and left alone. */
  freeze(frozen: boolean): void;
  close(): Promise<void>;
}

export async function cuttingProxy(socketPath: string): Promise<CuttingProxy> {
  const sockets = new Set<Socket>();
  let frozen = false;
  let unheard: string | null = null;
  let plan: { text: string; how: Cut } | null = null;

  const join = (client: Socket): void => {
    const server = connect(socketPath);
    let silent = false;
    let greeting = '';
    const isUnheard = (): boolean => unheard !== null && greeting.includes(unheard);
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      sockets.add(from);
      from.on('error', () => {});
      from.on('close', () => {
        sockets.delete(from);
        // Silence is silence: nobody learns that the other one has left.
        if (!silent) to.destroy();
      });
    }
    client.on('data', (data) => {
      if (greeting === '') greeting = data.toString('latin1');
      if (frozen || silent || isUnheard()) return;
      const how = plan !== null && data.includes(plan.text) ? plan.how : null;
      if (how === null) return void server.write(data);
      plan = null;
      if (how === 'silent') silent = true;
      else if (how === 'before') client.destroy();
      else {
        // The answer shows that the server has done it; nobody else hears it.
        server.removeAllListeners('data').once('data', () => client.destroy());
        server.write(data);
      }
    });
    server.on('data', (data) => {
      if (!frozen && !silent && !isUnheard()) client.write(data);
    });
  };

  const listener = createServer(join).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  return {
    host: '127.0.0.1',
    port: (listener.address() as AddressInfo).port,
    cutAll: () => sockets.forEach((socket) => socket.destroy()),
    cutAt: (text, how) => (plan = { text, how }),
    freezeClient: (text) => (unheard = text),
    freeze: (now) => (frozen = now),
    async close() {
      sockets.forEach((socket) => socket.destroy());
      listener.close();
      await once(listener, 'close');
    },
  };
}
