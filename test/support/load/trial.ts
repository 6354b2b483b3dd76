import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { waitFor } from '../wait.ts';
import { startLoad } from './load.ts';
import { withDefaults } from './options.ts';
import type { LoadOptions, RequestKind } from './options.ts';
import type { LoadReport } from './report.ts';

export const get: RequestKind = { name: 'get', weight: 1, method: 'GET', path: '/' };
export const post: RequestKind = { name: 'post', weight: 1, method: 'POST', path: '/', json: { a: 1 } };
/** Loads the port until what was seen is enough, and returns the report. */
export async function loadUntil(
  port: number,
  options: Partial<LoadOptions> & Pick<LoadOptions, 'mix'>,
  enough: (report: LoadReport) => boolean,
): Promise<LoadReport> {
  const load = await startLoad(withDefaults({ target: { host: '127.0.0.1', port }, sessions: 3, ...options }));
  try {
    await waitFor(() => enough(load.snapshot()), { what: 'the load to have seen it' });
  } finally {
    await load.stop();
  }
  return await load.stop();
}

/** Listens on a free port until the end of the test. */
export async function listen(listener: (req: IncomingMessage, res: ServerResponse) => unknown): Promise<number> {
  const server = createServer(listener);
  // What closes a connection in these tests is the test.
  server.keepAliveTimeout = 60_000;
  return await listenOn(server);
}

export async function listenOn(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => sockets.add(socket.on('close', () => sockets.delete(socket))));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
  });
  return (server.address() as AddressInfo).port;
}
