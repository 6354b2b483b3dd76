import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { KEPT_MS } from '../http/kept.ts';

/** What answers at services' addresses. */
export interface Behind {
  /** Whether a service of this emulator has the address, or will have. */
  knows: (host: string) => boolean;
  handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
  upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
}

const ADDRESS = /https:\/\/((?:[a-z\d-]+\.)+run\.app)(?![\w.:-])/g;

/**
 * The addresses by which programs here ask each other. `https://….run.app` leads nowhere on this machine: no DNS knows the
 * name, and nobody has its certificate. So each gets a loopback port, which leads to the same service.
 */
export class InnerDoors {
  readonly #behind: Behind;
  readonly #doors = new Map<string, Promise<{ server: Server; url: string }>>();
  readonly #upgraded = new Set<Duplex>();

  constructor(behind: Behind) {
    this.#behind = behind;
  }

  /** Variables with the addresses of services replaced by those that answer here. */
  async onHost(values: Readonly<Record<string, string>>): Promise<Record<string, string>> {
    const result: Record<string, string> = {};
    for (const [name, value] of Object.entries(values)) {
      const hosts = [...value.matchAll(ADDRESS)].map(([, host = '']) => host).filter(this.#behind.knows);
      const urls = new Map<string, string>();
      for (const host of hosts) urls.set(host, (await this.#doorOf(host)).url);
      result[name] = value.replaceAll(ADDRESS, (address, host: string) => urls.get(host) ?? address);
    }
    return result;
  }

  async stop(): Promise<void> {
    const doors = await Promise.allSettled(this.#doors.values());
    const closed = doors.flatMap((door) =>
      door.status === 'rejected' ? [] : [new Promise((resolve) => door.value.server.close(resolve))],
    );
    for (const door of doors) if (door.status === 'fulfilled') door.value.server.closeAllConnections();
    for (const socket of this.#upgraded) socket.destroy();
    await Promise.all(closed);
  }

  #doorOf(host: string): Promise<{ server: Server; url: string }> {
    const known = this.#doors.get(host);
    if (known !== undefined) return known;
    const door = this.#open(host);
    this.#doors.set(host, door);
    return door;
  }

  #open(host: string): Promise<{ server: Server; url: string }> {
    const server = createServer({ requestTimeout: 0, keepAliveTimeout: KEPT_MS });
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      request.headers.host = host;
      this.#behind.handle(request, response).catch(() => response.destroy());
    });
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      this.#upgraded.add(socket);
      socket.once('close', () => this.#upgraded.delete(socket));
      request.headers.host = host;
      this.#behind.upgrade(request, socket, head);
    });
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', () => {
        resolve({ server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
      });
    });
  }
}
