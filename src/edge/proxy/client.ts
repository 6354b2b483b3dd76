import type { IncomingHttpHeaders } from 'node:http';
import type { Writable } from 'node:stream';

/**
 * What the proxy needs of a client's request and of the reply to it, in whatever version of HTTP they travel. Node's
 * own objects fit as they are, so HTTP/1.1 pays nothing for it; `http2/` brings the same for a stream of HTTP/2.
 */

/** What a request came in on: a connection, or one stream of a connection. */
export interface ClientSocket {
  /** Grows with every byte that arrives of the request. */
  readonly bytesRead: number;
  readonly remoteAddress?: string | undefined;
  destroy(): unknown;
}

export interface ClientRequest {
  readonly method?: string | undefined;
  /** The target: begins with `/`, is `*`, or is absolute (HTTP/1.1 alone). */
  url?: string | undefined;
  readonly httpVersion: string;
  readonly headers: IncomingHttpHeaders;
  /** Flat: name, value, name, value; without line breaks in any of them. */
  readonly rawHeaders: readonly string[];
  /** Its host has another certificate than its connection was shown: HTTP/2 alone. */
  readonly misdirected?: boolean;
  /** All of it has arrived. */
  readonly complete: boolean;
  readonly socket: ClientSocket;
  on(event: 'data', listener: (chunk: Buffer) => void): unknown;
  on(event: 'end', listener: () => void): unknown;
  off(event: 'data', listener: (chunk: Buffer) => void): unknown;
  off(event: 'end', listener: () => void): unknown;
  isPaused(): boolean;
  pause(): unknown;
  resume(): unknown;
}

/** `destroy` shows the client that the reply is not whole. */
export interface ClientReply extends Writable {
  readonly headersSent: boolean;
  /** `headers` is flat. What concerns one connection of HTTP/1.1 alone is left out where it means nothing. */
  writeHead(status: number, headers: string[]): unknown;
  writeHead(status: number, reason: string, headers: string[]): unknown;
  flushHeaders(): void;
  writeContinue(): void;
  addTrailers(trailers: [string, string][]): void;
}
