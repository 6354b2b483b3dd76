import { constants } from 'node:http2';
import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import type { EdgeOptions } from '../options.ts';
import { Authority } from './authority.ts';
import { Farewell } from './farewell.ts';
import { ResetLimit } from './reset-limit.ts';
import type { StreamReply } from './stream-reply.ts';
import type { StreamRequest } from './stream-request.ts';

/** For a client to read the goodbye and to close; what it sent meanwhile it may send again elsewhere. */
const LINGER_MS = 5_000;
/** Of a connection, for all its uploads together. */
const CONNECTION_WINDOW = 1024 * 1024;

interface Exchanged {
  readonly req: StreamRequest;
  readonly res: StreamReply;
  readonly startedAt: number;
}

/** One connection of HTTP/2, with the limits that a connection of HTTP/1.1 has. */
export class Session {
  readonly remoteAddress: string | undefined;
  readonly farewell = new Farewell();
  readonly authority: Authority;
  readonly #node: ServerHttp2Session;
  readonly #socket: TLSSocket;
  readonly #options: EdgeOptions['client'];
  readonly #open = new Set<Exchanged>();
  readonly #streams = new Set<ServerHttp2Stream>();
  readonly #resets = new ResetLimit();
  readonly #startedAt = performance.now();
  /** The client has said its first words. */
  #spoken = false;
  #idleSince = performance.now();
  #closedAt: number | null = null;

  constructor(
    node: ServerHttp2Session,
    socket: TLSSocket,
    options: EdgeOptions['client'],
    hasOwn: (host: string) => boolean,
  ) {
    this.authority = new Authority(socket, hasOwn);
    this.#node = node;
    this.#socket = socket;
    this.#options = options;
    this.remoteAddress = socket.remoteAddress;
    node.on('error', () => undefined);
    node.once('remoteSettings', () => (this.#spoken = true));
    node.setLocalWindowSize(CONNECTION_WINDOW);
  }

  get busy(): boolean {
    return this.#streams.size > 0;
  }

  follow(stream: ServerHttp2Stream): void {
    this.#streams.add(stream);
    stream.once('close', () => {
      this.#streams.delete(stream);
      this.farewell.streamClosed();
      this.#idleSince = performance.now();
    });
  }

  /** A request is under way. */
  began(req: StreamRequest, res: StreamReply): void {
    const exchanged: Exchanged = { req, res, startedAt: performance.now() };
    this.#open.add(exchanged);
    res.once('close', () => {
      this.#open.delete(exchanged);
      if (res.abandoned && this.#resets.count(performance.now()))
        this.#node.destroy(undefined, constants.NGHTTP2_ENHANCE_YOUR_CALM);
    });
  }

  /** Has the client open no more streams here, if there is a reply to be given yet; an idle one is asked with its next. */
  retire(): void {
    if ([...this.#open].some(({ res }) => !res.writableEnded)) this.farewell.begin(this.#node, () => this.close());
  }

  /** Says which stream was the last one, and ends when those that are open have ended. */
  close(): void {
    if (this.#closedAt !== null) return;
    this.#closedAt = performance.now();
    if (!this.#node.destroyed) this.#node.close();
  }

  destroy(): void {
    this.#node.destroy();
    this.#socket.destroy();
  }

  sweep(now: number): void {
    const { headersTimeoutMs, keepAliveMs, requestTimeoutMs, stallMs } = this.#options;
    for (const { req, res, startedAt } of this.#open) {
      if (res.waitingSince > 0 && now - res.waitingSince > stallMs) res.destroy();
      else if (!req.complete && now - startedAt > requestTimeoutMs) res.giveUp(408);
    }
    if (this.busy) return;
    if (!this.#spoken && now - this.#startedAt > headersTimeoutMs) this.destroy();
    else if (this.#closedAt !== null && now - Math.max(this.#closedAt, this.#idleSince) > LINGER_MS) this.destroy();
    else if (now - this.#idleSince > keepAliveMs) this.close();
  }
}
