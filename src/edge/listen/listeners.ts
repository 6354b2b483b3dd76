import type { Server } from 'node:http';
import { Server as NetServer } from 'node:net';
import { portId } from '../../platform/ipc-messages.ts';
import type { PortBinding } from '../../platform/ipc-messages.ts';
import { bindPort, isFailure } from '../../platform/listen-handle.ts';
import type { HeldSocket } from '../../platform/revive-keeper.ts';
import { answerTlsChallenges } from '../acme/tls-challenge.ts';
import type { Http2Sessions } from '../http2/sessions.ts';
import type { ProxyContext } from '../proxy/context.ts';
import type { TlsPorts } from '../tls/tls-ports.ts';
import { createPlainServer, createTlsServer } from './http-server.ts';
import type { RequestHandler } from './http-server.ts';
import type { Granted, KeeperLink } from './keeper-link.ts';

export type Opened =
  | { readonly ok: true }
  | { readonly ok: false; readonly port: number; readonly bind: string; readonly code: string };

type Kind = 'plain' | 'tls';

interface Listener {
  readonly address: PortBinding;
  readonly kind: Kind;
  readonly server: Server;
  /** Of HTTP/2, which is spoken over TLS alone. */
  readonly sessions: Http2Sessions | null;
  /** As the keeper gave it; null without a keeper. */
  readonly handle: unknown;
}

/** Has everybody else who listens at these addresses close them. Only who shares its sockets needs that. */
export type Withdraw = (addresses: readonly PortBinding[]) => Promise<void>;

/** The edge's listening servers: one for each address, on sockets that the keeper holds. */
export class Listeners {
  readonly #servers = new Map<string, Listener>();
  readonly #context: Pick<ProxyContext, 'options' | 'challenges'>;
  readonly #handler: RequestHandler;
  readonly #keeper: KeeperLink;
  readonly #tls: TlsPorts;
  /** Absent: the sockets are this process's alone. */
  readonly #withdraw: Withdraw | undefined;

  constructor(
    context: Pick<ProxyContext, 'options' | 'challenges'>,
    handler: RequestHandler,
    { keeper, tls, withdraw }: { keeper: KeeperLink; tls: TlsPorts; withdraw?: Withdraw },
  ) {
    this.#withdraw = withdraw;
    this.#context = context;
    this.#handler = handler;
    this.#keeper = keeper;
    this.#tls = tls;
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
  async openEach(wanted: readonly PortBinding[], kind: Kind = 'plain'): Promise<(Opened & { ok: false })[]> {
    await this.#closeOthers(wanted, kind);
    const missing = wanted.filter((address) => !this.#servers.has(portId(address)));
    if (missing.length === 0) return [];
    const { attached } = this.#keeper;
    if (attached) this.#keeper.want([...this.addresses, ...missing.map(({ port, bind }) => ({ port, bind }))]);
    const granted = attached ? await this.#keeper.grants(missing) : null;
    const failed: (Opened & { ok: false })[] = [];
    for (const { port, bind } of missing) {
      const address = { port, bind };
      const code = await this.#listen(address, kind, granted?.get(portId(address)) ?? null);
      if (code !== null) failed.push({ ok: false, ...address, code });
    }
    return failed;
  }

  /** A port that is to speak something else from now on is had from the keeper anew. */
  async #closeOthers(wanted: readonly PortBinding[], kind: Kind): Promise<void> {
    const others = wanted.filter((address) => (this.#servers.get(portId(address))?.kind ?? kind) !== kind);
    if (others.length === 0) return;
    // As long as anybody has the socket, nobody can bind another.
    await this.#withdraw?.(others);
    for (const address of others) this.close(address);
    this.#keeper.want(this.addresses);
  }

  /** Closes what is not wanted any more, and tells the keeper. */
  keepOnly(wanted: readonly PortBinding[]): void {
    const names = new Set(wanted.map(portId));
    for (const address of this.addresses) if (!names.has(portId(address))) this.close(address);
    this.#keeper.want(wanted.map(({ port, bind }) => ({ port, bind })));
  }

  close(address: PortBinding): void {
    const listener = this.#servers.get(portId(address));
    this.#servers.delete(portId(address));
    if (listener === undefined) return;
    if (listener.kind === 'tls') this.#tls.detach(portId(address));
    stopAccepting(listener.server);
    listener.sessions?.retire();
    closeIdle(listener);
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
      ({ server, sessions }) =>
        new Promise<void>((resolve) => {
          server.once('close', resolve);
          stopAccepting(server);
          sessions?.retire();
        }),
    );
    await Promise.all(ends);
  }

  closeIdle(): void {
    for (const listener of this.#servers.values()) closeIdle(listener);
  }

  destroyAll(): void {
    for (const { server, sessions } of this.#servers.values()) {
      server.closeAllConnections();
      sessions?.destroyAll();
    }
  }

  /** Without a keeper there is no socket to pass on yet. */
  #listenShared(address: PortBinding, kind: Kind): Promise<string | null> {
    const bound = bindPort(address);
    return this.#listen(address, kind, isFailure(bound) ? bound : { handle: bound });
  }

  /** The code of the error, or null. */
  #listen(address: PortBinding, kind: Kind, granted: Granted | null): Promise<string | null> {
    if (granted !== null && 'code' in granted) return Promise.resolve(granted.code);
    if (granted === null && this.#withdraw !== undefined) return this.#listenShared(address, kind);
    const name = portId(address);
    const { options, challenges } = this.#context;
    const secure =
      kind === 'tls' ? createTlsServer(name, options.client, this.#handler, this.#tls.options(name)) : null;
    if (secure !== null) answerTlsChallenges(secure.server, challenges);
    const server = secure?.server ?? createPlainServer(name, options.client, this.#handler);
    return new Promise((resolve) => {
      server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'unknown'));
      const listening = (): void => {
        const sessions = secure?.sessions ?? null;
        this.#servers.set(name, { address, kind, server, sessions, handle: granted?.handle ?? null });
        if (secure !== null) this.#tls.attach(name, secure.server);
        resolve(null);
      };
      // A native handle or a net.Server: listen() takes either.
      if (granted !== null) server.listen(granted.handle, listening);
      else server.listen({ port: address.port, host: address.bind, backlog: 1024 }, listening);
    });
  }
}

function closeIdle({ server, sessions }: Listener): void {
  server.closeIdleConnections();
  sessions?.closeIdle();
}

/** Not `http.Server.close`, which also cuts connections that a client is about to use again. */
function stopAccepting(server: Server): void {
  NetServer.prototype.close.call(server);
}
