import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { connect, createServer, type NetConnectOpts, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nameOnServer } from '../apis/sql-server.ts';
import { firstPacket, startupPacket } from './startup-packet.ts';

/**
 * The sockets by which programs reach Cloud SQL (`/cloudsql/PROJECT:REGION:INSTANCE`), where a real Postgres stands behind
 * the emulator. All instances share that one server: names of users and databases are those it has for them.
 */
export class SqlSockets {
  readonly #postgres: string;
  readonly #servers = new Map<string, { server: Server; folder: string }>();
  readonly #open = new Set<Socket>();
  /** Paths of sockets may have a hundred characters only: they lie in a folder of their own. */
  #root: string | null = null;

  constructor(postgres: string) {
    this.#postgres = postgres;
  }

  /** Variables with what names one of these instances' folder replaced by the folder that stands in for it here. */
  onHost(values: Readonly<Record<string, string>>, instances: readonly string[]): Record<string, string> {
    const result = { ...values };
    for (const instance of instances) {
      const path = `/cloudsql/${instance}`;
      const folder = this.#folderOf(instance);
      const ways = [
        [path, folder],
        [encodeURIComponent(path), encodeURIComponent(folder)],
        [encodeURIComponent(path).replaceAll('%3A', ':'), encodeURIComponent(folder)],
      ] as const;
      for (const [name, value] of Object.entries(result))
        result[name] = ways.reduce((text, [from, to]) => text.replaceAll(from, to), value);
    }
    return result;
  }

  async stop(): Promise<void> {
    const closed = [...this.#servers.values()].map(({ server }) => new Promise((resolve) => server.close(resolve)));
    for (const socket of this.#open) socket.destroy();
    await Promise.all(closed);
    if (this.#root !== null) await rm(this.#root, { recursive: true, force: true });
  }

  #folderOf(instance: string): string {
    const known = this.#servers.get(instance);
    if (known !== undefined) return known.folder;
    this.#root ??= mkdtempSync(join(tmpdir(), 'evenkeel-sql-'));
    const folder = join(this.#root, createHash('sha256').update(instance).digest('hex').slice(0, 8));
    mkdirSync(folder, { recursive: true });
    const server = createServer((client) => this.#serve(client, instance));
    server.on('error', () => {}); // a program then finds no socket, and says so
    server.listen(join(folder, '.s.PGSQL.5432'));
    this.#servers.set(instance, { server, folder });
    return folder;
  }

  #serve(client: Socket, instance: string): void {
    this.#keep(client);
    let read = Buffer.alloc(0);
    const take = (chunk: Buffer) => {
      read = Buffer.concat([read, chunk]);
      const packet = firstPacket(read);
      if (packet.kind === 'incomplete') return;
      if (packet.kind === 'encryption') {
        client.write('N'); // on a socket of this machine nobody needs it
        read = read.subarray(packet.length);
        if (read.length > 0) take(Buffer.alloc(0));
        return;
      }
      client.off('data', take);
      const first =
        packet.kind === 'startup'
          ? Buffer.concat([startupPacket(named(packet.values, instance)), read.subarray(packet.length)])
          : read;
      const server = connect(addressOf(this.#postgres));
      this.#keep(server);
      server.write(first);
      client.once('close', () => server.destroy());
      server.once('close', () => client.destroy());
      client.pipe(server).pipe(client);
    };
    client.on('data', take);
  }

  #keep(socket: Socket): void {
    this.#open.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => this.#open.delete(socket));
  }
}

function named(values: Readonly<Record<string, string>>, instance: string): Record<string, string> {
  const [name = ''] = instance.split(':').slice(-1);
  const project = instance.split(':').slice(0, -2).join(':');
  const { user = '', database = user } = values;
  return {
    ...values,
    user: nameOnServer(`${project}/${name}/${user}`),
    database: nameOnServer(`${project}/${name}/${database}`),
  };
}

/** A URL of Postgres names a host, or in its query the folder of a socket. */
function addressOf(postgres: string): NetConnectOpts {
  const { hostname, port, searchParams } = new URL(postgres);
  const host = searchParams.get('host') ?? decodeURIComponent(hostname);
  const number = Number(searchParams.get('port') ?? (port === '' ? 5432 : port));
  return host.startsWith('/')
    ? { path: join(host, `.s.PGSQL.${number}`) }
    : { host: host === '' ? '127.0.0.1' : host, port: number };
}
