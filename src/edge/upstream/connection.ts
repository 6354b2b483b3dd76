import type { Socket } from 'node:net';
import type { ClientRequest } from '../proxy/client.ts';
import type { ParsedHead } from './response-parser.ts';
import { ResponseParser } from './response-parser.ts';
import { OneWaySocket } from './one-way-socket.ts';
import type { BodyLimit } from './request-body.ts';
import { RequestBody } from './request-body.ts';

/** Why no (whole) reply came. */
export type UpstreamFailure =
  /** No connection: nothing was sent. */
  | 'connect'
  /** A connection that had served before was closed as the request was sent on it, without a byte of reply. */
  | 'stale'
  /** A fresh connection was closed without a byte of reply, or any connection after the request had been there a while. */
  | 'closed'
  /** The reply broke off. */
  | 'truncated'
  /** Not HTTP. */
  | 'malformed';

/** Who waits for a reply. Exactly one of `onEnd`, `onFailure` or `onTunnel` comes last. */
export interface ReplySink {
  onHead(head: ParsedHead): void;
  onBody(chunk: Buffer): void;
  onEnd(trailers: string[] | null): void;
  /** After a 101: the socket is the sink's now; `rest` is what followed the head. */
  onTunnel(socket: Socket, rest: Buffer): void;
  onFailure(failure: UpstreamFailure, detail: string): void;
}

/** Where a connection goes when it is free or gone. */
export interface ConnectionOwner {
  released(connection: UpstreamConnection): void;
  gone(connection: UpstreamConnection): void;
}

/** Node's servers close idle connections after 5 s; one that was idle nearly as long is not given another request. */
const DEFAULT_IDLE_LIMIT_MS = 4_000;
/** What a server may take off its own announced limit, by timers and the way. */
const IDLE_MARGIN_MS = 1_000;
const CONNECT_TIMEOUT_MS = 3_000;
/** A server that closed an idle connection did so before it knew of the request; its word must only travel here. */
const STALE_WITHIN_MS = 1_000;

/** One keep-alive connection to an instance: one request at a time, no pipelining. */
export class UpstreamConnection {
  readonly #socket: Socket;
  readonly #parser: ResponseParser;
  readonly #owner: ConnectionOwner;
  #sink: ReplySink | null = null;
  #body: RequestBody | null = null;
  #connected = false;
  #closed = false;
  #served = 0;
  #replyStarted = false;
  #sentAt = 0;
  #keepAlive = true;
  #pending: { head: string; body: ClientRequest | null; chunked: boolean; limit: BodyLimit | null } | null = null;
  #connectTimer: NodeJS.Timeout | null;
  idleSince = 0;
  idleLimitMs = DEFAULT_IDLE_LIMIT_MS;

  constructor(port: number, owner: ConnectionOwner) {
    this.#owner = owner;
    this.#parser = new ResponseParser({
      begin: () => this.#onBegin(),
      head: (head) => this.#onHead(head),
      body: (chunk) => this.#sink?.onBody(chunk),
      end: (trailers) => this.#onMessageEnd(trailers),
    });
    const socket = new OneWaySocket();
    socket.setNoDelay(true).connect({ port, host: '127.0.0.1' });
    this.#socket = socket;
    this.#connectTimer = setTimeout(() => socket.destroy(new Error('no connection within 3 s')), CONNECT_TIMEOUT_MS);
    socket.on('connect', () => this.#onConnect());
    socket.on('data', (data) => this.#onData(data));
    socket.on('end', () => this.#onSocketEnd());
    socket.on('error', (error) => this.#onGone(error.message));
    socket.on('close', () => this.#onGone('the connection was closed'));
    socket.on('drain', () => this.#body?.resume());
  }

  get usable(): boolean {
    return !this.#closed;
  }

  /** Sends a request: `head` ends with an empty line; a body is read from `body` and chunked if its length is unknown. */
  send(
    head: string,
    body: ClientRequest | null,
    chunked: boolean,
    headOnly: boolean,
    sink: ReplySink,
    limit: BodyLimit | null = null,
  ): void {
    this.#sink = sink;
    this.#replyStarted = false;
    this.#parser.headOnly = headOnly;
    if (!this.#connected) {
      this.#pending = { head, body, chunked, limit };
      return;
    }
    this.#write(head, body, chunked, limit);
  }

  #write(head: string, body: ClientRequest | null, chunked: boolean, limit: BodyLimit | null): void {
    this.#sentAt = performance.now();
    this.#socket.write(head, 'latin1');
    if (body === null) return;
    this.#body = new RequestBody(body, this.#socket, chunked, limit);
    this.#body.start();
  }

  /** The client takes no more for now. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Drops the connection; its sink hears nothing more. */
  destroy(): void {
    this.#sink = null;
    this.#onGone('given up');
  }

  #onConnect(): void {
    this.#connected = true;
    if (this.#connectTimer !== null) clearTimeout(this.#connectTimer);
    this.#connectTimer = null;
    const pending = this.#pending;
    this.#pending = null;
    if (pending !== null && this.#sink !== null)
      this.#write(pending.head, pending.body, pending.chunked, pending.limit);
  }

  #onData(data: Buffer): void {
    if (this.#sink === null) {
      // A server that speaks unasked cannot be trusted with the next request.
      this.#onGone('data without a request');
      return;
    }
    this.#replyStarted = true;
    const fed = this.#parser.feed(data);
    if (this.#closed) return;
    if (fed.kind === 'malformed') this.#fail('malformed', 'the reply is not HTTP/1.1');
    else if (fed.kind === 'tunnel') this.#handOver(fed.rest);
  }

  /** A reply after the reply would be taken for the one to the next request. */
  #onBegin(): void {
    if (this.#sink === null) this.#onGone('a reply without a request');
  }

  #onHead(head: ParsedHead): void {
    this.#keepAlive = head.keepAlive;
    for (let i = 0; i < head.headers.length; i += 2) {
      const name = head.headers[i] ?? '';
      if (name.length === 10 && name.toLowerCase() === 'keep-alive') this.#readIdleLimit(head.headers[i + 1] ?? '');
    }
    this.#sink?.onHead(head);
  }

  #readIdleLimit(value: string): void {
    const seconds = Number(/timeout=(\d+)/i.exec(value)?.[1] ?? Number.NaN);
    if (Number.isFinite(seconds)) this.idleLimitMs = Math.max(0, Math.min(60_000, seconds * 1000 - IDLE_MARGIN_MS));
  }

  #onMessageEnd(trailers: string[] | null): void {
    const sink = this.#sink;
    const body = this.#body;
    this.#sink = null;
    this.#body = null;
    this.#served++;
    body?.stop();
    // A reply before the end of the request leaves the rest of the request in the way of the next one.
    const reusable = this.#keepAlive && !this.#closed && (body === null || body.finished);
    if (reusable) {
      this.#socket.resume();
      this.idleSince = performance.now();
      this.#owner.released(this);
    } else this.#onGone('not kept alive');
    sink?.onEnd(trailers);
  }

  #handOver(rest: Buffer): void {
    const sink = this.#sink;
    const socket = this.#socket;
    this.#sink = null;
    this.#closed = true;
    for (const event of ['connect', 'data', 'end', 'error', 'close', 'drain']) socket.removeAllListeners(event);
    this.#parser.close();
    this.#owner.gone(this);
    sink?.onTunnel(socket, rest);
  }

  #onSocketEnd(): void {
    this.#parser.finish(); // may end a reply that lasts until the connection closes
    this.#onGone('the connection was closed');
  }

  #fail(failure: UpstreamFailure, detail: string): void {
    const sink = this.#sink;
    this.#sink = null;
    this.#onGone(detail);
    sink?.onFailure(failure, detail);
  }

  #onGone(detail: string): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#connectTimer !== null) clearTimeout(this.#connectTimer);
    this.#body?.stop();
    this.#body = null;
    this.#parser.close();
    this.#socket.destroy();
    this.#owner.gone(this);
    const sink = this.#sink;
    this.#sink = null;
    sink?.onFailure(this.#classify(), detail);
  }

  #classify(): UpstreamFailure {
    if (!this.#connected) return 'connect';
    if (this.#replyStarted) return 'truncated';
    const atOnce = performance.now() - this.#sentAt < STALE_WITHIN_MS;
    return this.#served > 0 && atOnce ? 'stale' : 'closed';
  }
}
