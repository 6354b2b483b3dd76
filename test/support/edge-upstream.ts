import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { onTestFinished } from 'vitest';

export interface Upstream {
  readonly port: number;
  readonly server: Server;
  /** Requests received, health checks left out. */
  readonly requests: IncomingMessage[];
  /** What health checks are answered with. */
  health: number;
  /** Cuts every connection and refuses new ones. */
  die(): Promise<void>;
}

/** A real server in the test process; it answers its name, unless told otherwise. Ends with the test. */
export async function upstream(
  name: string,
  handler: (req: IncomingMessage, res: ServerResponse) => void = (_req, res) => res.end(name),
  port = 0,
): Promise<Upstream> {
  const requests: IncomingMessage[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((req, res) => {
    if (req.url === '/health') {
      res.statusCode = made.health;
      res.end();
      return;
    }
    requests.push(req);
    handler(req, res);
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const die = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      for (const socket of sockets) socket.destroy();
    });
  const made: Upstream = { port: (server.address() as AddressInfo).port, server, requests, health: 200, die };
  onTestFinished(die);
  return made;
}
