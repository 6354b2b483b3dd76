import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { waitFor } from '../wait.ts';
import type { System } from '../evenkeel-home.ts';

export interface Dashboard {
  /** The address of a page. */
  link(path?: string): string;
  readonly origin: string;
  /** As if the controller were gone, and what was under way with it; false: it is back. */
  cut(away: boolean): void;
  close(): Promise<void>;
}

/** A way to the dashboard of a real controller, on a port of its own, that can be cut. */
export async function openDashboard(system: System): Promise<Dashboard> {
  const door = await waitFor(async () => (await system.keeperInfo()).dashboard ?? null, {
    what: 'the port of the dashboard',
  });
  const sockets = new Set<Socket>();
  let isCut = false;
  const server = createServer((browser) => {
    if (isCut) return void browser.destroy();
    const controller = connect(door.port, '127.0.0.1');
    for (const [from, to] of [
      [browser, controller],
      [controller, browser],
    ] as const) {
      sockets.add(from);
      from.on('error', () => undefined);
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
      from.pipe(to);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const end = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    origin,
    link: (path = '/') => `${origin}${path}`,
    cut(away) {
      isCut = away;
      if (away) end();
    },
    async close() {
      end();
      server.close();
      await once(server, 'close');
    },
  };
}
