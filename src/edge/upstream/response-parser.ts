import { HTTPParser } from 'node:_http_common';

/**
 * Reads HTTP/1.1 replies with Node's own llhttp, the parser behind node:http, without the client that node:http puts
 * around it: measured, that client halves the edge's throughput, and it hides whether a byte of a request was written.
 */

const ON_MESSAGE_BEGIN = HTTPParser.kOnMessageBegin | 0;
const ON_HEADERS = HTTPParser.kOnHeaders | 0;
const ON_HEADERS_COMPLETE = HTTPParser.kOnHeadersComplete | 0;
const ON_BODY = HTTPParser.kOnBody | 0;
const ON_MESSAGE_COMPLETE = HTTPParser.kOnMessageComplete | 0;

/** What llhttp is told after a head: go on, skip the body (a reply to HEAD), or stop (the connection is a tunnel now). */
const READ_BODY = 0;
const NO_BODY = 1;
const TUNNEL = 2;

const MAX_HEADER_BYTES = 64 * 1024;

export interface ParsedHead {
  readonly status: number;
  readonly message: string;
  /** Flat: name, value, name, value; as they came. */
  readonly headers: string[];
  readonly keepAlive: boolean;
}

export interface ResponseEvents {
  /** The first byte of a reply, also of one that nobody asked for. */
  begin(): void;
  /** Interim replies (1xx but 101) are left out. */
  head(head: ParsedHead): void;
  body(chunk: Buffer): void;
  /** Trailers are flat like headers, or null. */
  end(trailers: string[] | null): void;
}

export type Fed =
  | { readonly kind: 'ok' }
  | { readonly kind: 'tunnel'; readonly rest: Buffer }
  | { readonly kind: 'malformed' };

const OK: Fed = { kind: 'ok' };
const MALFORMED: Fed = { kind: 'malformed' };

export class ResponseParser {
  readonly #parser = new HTTPParser();
  /** Set for the reply to a HEAD request, which has no body whatever its headers say. */
  headOnly = false;
  #overflow: string[] | null = null;
  #interim = false;
  #tunnel = false;
  /** A head came that no reply has. */
  #malformed = false;

  constructor(events: ResponseEvents) {
    const parser = this.#parser;
    parser.initialize(HTTPParser.RESPONSE, {}, MAX_HEADER_BYTES, HTTPParser.kLenientNone | 0);
    parser[ON_MESSAGE_BEGIN] = () => events.begin();
    // More than 32 header fields come in batches; trailers come here too.
    parser[ON_HEADERS] = (fields: string[]) => {
      this.#overflow = this.#overflow === null ? fields : this.#overflow.concat(fields);
    };
    parser[ON_HEADERS_COMPLETE] = (
      _major: number,
      _minor: number,
      fields: string[] | undefined,
      _method: number,
      _url: string,
      status: number,
      message: string,
      upgrade: boolean,
      keepAlive: boolean,
    ): number => {
      const headers = fields ?? this.#overflow ?? [];
      this.#overflow = null;
      this.#interim = status < 200 && status !== 101;
      this.#tunnel = status === 101 && upgrade;
      this.#malformed ||= status < 100 || (status === 101 && !upgrade);
      if (this.#interim || this.#malformed) return NO_BODY;
      events.head({ status, message, headers, keepAlive });
      if (this.#tunnel) return TUNNEL;
      return this.headOnly ? NO_BODY : READ_BODY;
    };
    parser[ON_BODY] = (chunk: Buffer) => events.body(chunk);
    parser[ON_MESSAGE_COMPLETE] = () => {
      const trailers = this.#overflow;
      this.#overflow = null;
      if (this.#interim || this.#tunnel || this.#malformed) return;
      events.end(trailers);
    };
  }

  feed(data: Buffer): Fed {
    let consumed: number | Error;
    try {
      consumed = this.#parser.execute(data);
    } catch (error) {
      // What listens to a reply failed over it. That ends this reply alone, and is told where such things are told.
      setImmediate(() => {
        throw error;
      });
      return MALFORMED;
    }
    if (typeof consumed !== 'number' || this.#malformed) return MALFORMED;
    return this.#tunnel ? { kind: 'tunnel', rest: data.subarray(consumed) } : OK;
  }

  /** The peer sent its last byte: ends a reply whose length was "until the connection closes". */
  finish(): void {
    this.#parser.finish();
  }

  /** Frees native memory. Later, because llhttp must not be freed below its own callback. */
  close(): void {
    setImmediate(() => this.#parser.close());
  }
}
