import { createServer, ServerResponse } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import { Server as NetServer } from 'node:net';
import type { Socket } from 'node:net';
import { portId } from '../../platform/ipc-messages.ts';
import type { PortBinding } from '../../platform/ipc-messages.ts';
import type { HeldSocket } from '../../platform/revive-keeper.ts';
import type { EdgeOptions } from '../options.ts';
import { answerClientError, cutStalled, InTurn, isAnswering } from './client-connection.ts';
import { connectionLimit } from './connection-limit.ts';
import type { Granted, KeeperLink } from './keeper-link.ts';

export interface RequestHandler {
  /** `address`: where it came in, as `bind:port`. */
  request(address: string, req: IncomingMessage, res: ServerResponse): void;
  upgrade(address: string, req: IncomingMessage, res: ServerResponse, socket: Socket, head: Buffer): void;
}

export type Opened =
  | { readonly ok: true }
  | { readonly ok: false; readonly port: number; readonly bind: string; readonly code: string };

/** Without a byte either way, before the kernel asks whether the peer is still there. */
const KEEP_ALIVE_PROBE_MS = 60_000;

interface Listener {
  readonly address: PortBinding;
  readonly server: Server;
  /** As the keeper gave it; null without a keeper. */
  readonly handle: unknown;
}

/** The edge's listening servers: one for each address, on sockets that the keeper holds. */
export class Listeners {
  readonly #servers = new Map<string, Listener>();
  readonly #options: EdgeOptions['client'];
  readonly #handler: RequestHandler;
  readonly #keeper: KeeperLink;

  constructor(options: EdgeOptions['client'], handler: RequestHandler, keeper: KeeperLink) {
    this.#options = options;
    this.#handler = handler;
    this.#keeper = keeper;
  }

  /**
   * Opens what of `wanted` is missing, and keeps what is open. When one cannot be had, those that were opened for it are
   * closed again.
   */
  async open(wanted: readonly PortBinding[]): Promise<Opened> {
    const before = this.addresses;
    const [failed] = await this.openEach(wanted);
    if (failed === undefined) return { ok: true };
    this.keepOnly(before);
    return failed;
  }

  /**
   * Opens what of `wanted` is missing and can be had, and returns the rest: one port taken by a stranger must not keep
   * the others from being served. The keeper goes on trying for it.
   */
  async openEach(wanted: readonly PortBinding[]): Promise<(Opened & { ok: false })[]> {
    const missing = wanted.filter((address) => !this.#servers.has(portId(address)));
    if (missing.length === 0) return [];
    const { attached } = this.#keeper;
    if (attached) this.#keeper.want([...this.addresses, ...missing]);
    const granted = attached ? await this.#keeper.grants(missing) : null;
    const failed: (Opened & { ok: false })[] = [];
    for (const address of missing) {
      const code = await this.#listen(address, granted?.get(portId(address)) ?? null);
      if (code !== null) failed.push({ ok: false, ...address, code });
    }
    return failed;
  }

  /** Closes what is not wanted any more, and tells the keeper. */
  keepOnly(wanted: readonly PortBinding[]): void {
    const names = new Set(wanted.map(portId));
    for (const address of this.addresses) if (!names.has(portId(address))) this.close(address);
    this.#keeper.want(wanted);
  }

  close(address: PortBinding): void {
    const listener = this.#servers.get(portId(address));
    this.#servers.delete(portId(address));
    if (listener === undefined) return;
    stopAccepting(listener.server);
    listener.server.closeIdleConnections();
  }

  /** For a keeper that is to be started anew. */
  sockets(): HeldSocket[] {
    return [...this.#servers.values()].flatMap(({ address, handle }) =>
      handle === null ? [] : { ...address, handle },
    );
  }

  get addresses(): PortBinding[] {
    return [...this.#servers.values()].map(({ address }) => address);
  }

  /** Accepts nothing more; connections live on. Resolves when the last of them has ended. */
  async stopAccepting(): Promise<void> {
    const ends = [...this.#servers.values()].map(
      ({ server }) =>
        new Promise<void>((resolve) => {
          server.once('close', resolve);
          stopAccepting(server);
        }),
    );
    await Promise.all(ends);
  }

  closeIdle(): void {
    for (const { server } of this.#servers.values()) server.closeIdleConnections();
  }

  destroyAll(): void {
    for (const { server } of this.#servers.values()) server.closeAllConnections();
  }

  /** The code of the error, or null. */
  #listen(address: PortBinding, granted: Granted | null): Promise<string | null> {
    if (granted !== null && 'code' in granted) return Promise.resolve(granted.code);
    const server = this.#createServer(portId(address));
    return new Promise((resolve) => {
      server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'unknown'));
      const listening = (): void => {
        this.#servers.set(portId(address), { address, server, handle: granted?.handle ?? null });
        resolve(null);
      };
      // A native handle or a net.Server: listen() takes either.
      if (granted !== null) server.listen(granted.handle, listening);
      else server.listen({ port: address.port, host: address.bind, backlog: 1024 }, listening);
    });
  }

  #createServer(address: string): Server {
    const { headersTimeoutMs, requestTimeoutMs, keepAliveMs, stallMs, maxHeaderBytes } = this.#options;
    const handler = this.#handler;
    const inTurn = new InTurn((req, res) => handler.request(address, req, res));
    const request = (req: IncomingMessage, res: ServerResponse): void => inTurn.request(req, res);
    const server = createServer(
      {
        headersTimeout: headersTimeoutMs,
        requestTimeout: requestTimeoutMs,
        keepAliveTimeout: keepAliveMs,
        connectionsCheckingInterval: 1_000,
        maxHeaderSize: maxHeaderBytes,
        noDelay: true,
        // A client that vanished without a word, in a stream that says nothing either, is found out by the kernel.
        keepAlive: true,
        keepAliveInitialDelay: KEEP_ALIVE_PROBE_MS,
        insecureHTTPParser: false,
        // Anything else that asks for an upgrade (h2c) is answered as if it had not.
        shouldUpgradeCallback: (req) => isWebSocket(req),
      },
      request,
    );
    // Node would leave out of `headers` what comes after the first 2,000, among it perhaps how the body is framed.
    server.maxHeadersCount = 0;
    server.maxConnections = connectionLimit();
    cutStalled(server, stallMs);
    server.on('clientError', answerClientError);
    // The go-ahead for a body is given when somebody is there to take it.
    server.on('checkContinue', request);
    server.on('upgrade', (req: IncomingMessage, socket: Socket, head: Buffer) => {
      socket.on('error', () => undefined);
      // A WebSocket may be silent for as long as it likes.
      socket.setTimeout(0);
      socket.removeAllListeners('timeout');
      if (isAnswering(socket)) {
        // Requests before it still wait for their replies; nobody does that in earnest.
        socket.destroy();
        return;
      }
      const res = new ServerResponse(req);
      res.shouldKeepAlive = false;
      res.assignSocket(socket);
      res.on('finish', () => {
        res.detachSocket(socket);
        socket.destroySoon();
      });
      handler.upgrade(address, req, res, socket, head);
    });
    return server;
  }
}

const isWebSocket = (req: IncomingMessage): boolean =>
  req.method === 'GET' && req.headers.upgrade?.toLowerCase() === 'websocket';

/** Not `http.Server.close`, which also cuts connections that a client is about to use again. */
function stopAccepting(server: Server): void {
  NetServer.prototype.close.call(server);
}
