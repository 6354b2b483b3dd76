import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface Loopback {
  readonly url: string;
  readonly server: Server;
  /** How often each path was asked for. */
  asked(path: string): number;
  stop(): Promise<void>;
}

/** An HTTP server on this machine until the test is finished. `answer` comes later where it has to know the address. */
export async function listen(port = 0, answer?: RequestListener): Promise<Loopback> {
  const counts = new Map<string, number>();
  const server = createServer();
  server.on('request', (request) => {
    const path = request.url?.split('?')[0] ?? '';
    counts.set(path, (counts.get(path) ?? 0) + 1);
  });
  if (answer !== undefined) server.on('request', answer);
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const stop = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  };
  onTestFinished(stop);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    server,
    asked: (path) => counts.get(path) ?? 0,
    stop,
  };
}
