import { constants, performServerHandshake } from 'node:http2';
import type { IncomingHttpHeaders, ServerHttp2Stream, ServerOptions } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import type { RequestHandler } from '../listen/http-server.ts';
import type { EdgeOptions } from '../options.ts';
import { readRequestFields } from './request-fields.ts';
import { Session } from './session.ts';
import { StreamReply } from './stream-reply.ts';
import { StreamRequest } from './stream-request.ts';

type ClientOptions = EdgeOptions['client'];

const SWEEP_MS = 200;

/** The sessions of HTTP/2 at one address, and what Node leaves to their owner: who is late, too many, or idle. */
export class Http2Sessions {
  readonly #address: string;
  readonly #options: ClientOptions;
  readonly #handler: RequestHandler;
  readonly #hasOwn: (host: string) => boolean;
  readonly #sessions = new Set<Session>();
  #timer: NodeJS.Timeout | null = null;
  #retiring = false;

  /** `hasOwn`: there is a certificate for this host at this address. */
  constructor(address: string, options: ClientOptions, handler: RequestHandler, hasOwn: (host: string) => boolean) {
    this.#hasOwn = hasOwn;
    this.#address = address;
    this.#options = options;
    this.#handler = handler;
  }

  /** Takes over a connection on which HTTP/2 was agreed. */
  adopt(socket: TLSSocket): void {
    const node = performServerHandshake(socket, sessionOptions(this.#options));
    const session = new Session(node, socket, this.#options, this.#hasOwn);
    this.#sessions.add(session);
    this.#timer ??= setInterval(() => this.#sweep(), SWEEP_MS).unref();
    socket.once('close', () => this.#sessions.delete(session));
    node.on('stream', (stream, headers, flags, raw) => this.#onStream(session, stream, headers, flags, raw));
  }

  /** Another process accepts: whoever asks here is told to go there next. */
  retire(): void {
    this.#retiring = true;
    for (const session of this.#sessions) session.retire();
  }

  /** Closes those without a request under way. */
  closeIdle(): void {
    for (const session of this.#sessions) if (!session.busy) session.close();
  }

  destroyAll(): void {
    for (const session of this.#sessions) session.destroy();
  }

  #onStream(
    session: Session,
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    flags: number,
    raw: readonly string[],
  ): void {
    // The reason is told to the client in the frame; here nobody asks.
    stream.on('error', () => undefined);
    if (stream.destroyed) return;
    session.follow(stream);
    if (this.#handler.full) {
      stream.close(constants.NGHTTP2_REFUSED_STREAM);
      return;
    }
    const ended = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
    const read = readRequestFields(raw, ended);
    const refusal = read.ok ? (isTooLarge(raw, this.#options.maxHeaderBytes) ? 431 : expectationOf(headers)) : 400;
    if (!read.ok || refusal !== null) {
      stream.respond({ ':status': refusal ?? 400, 'content-length': 0 }, { endStream: true });
      stream.close(constants.NGHTTP2_NO_ERROR);
      return;
    }
    const { remoteAddress } = session;
    const misdirected = session.authority.isMisdirected(read.request.authority);
    const req = new StreamRequest(stream, read.request, headers, { ended, remoteAddress, misdirected });
    const res = new StreamReply(stream, req, session.farewell);
    session.began(req, res);
    if (this.#retiring) session.retire();
    try {
      this.#handler.request(this.#address, req, res);
    } catch (error) {
      res.destroy();
      setImmediate(() => {
        throw error;
      });
    }
  }

  #sweep(): void {
    const now = performance.now();
    for (const session of this.#sessions) session.sweep(now);
    if (this.#sessions.size > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }
}

/** Node answers an expectation that nobody knows in the same way on HTTP/1.1. */
const expectationOf = ({ expect }: IncomingHttpHeaders): number | null =>
  expect === undefined || expect.toLowerCase() === '100-continue' ? null : 417;

/** Counted as HTTP/1.1 would: with colon, blank and line end. */
const isTooLarge = (raw: readonly string[], limit: number): boolean =>
  raw.reduce((sum, text) => sum + text.length + 2, 0) > limit;

const sessionOptions = ({ maxHeaderBytes }: ClientOptions): ServerOptions => ({
  settings: {
    maxConcurrentStreams: 100,
    // What one upload may have under way; also what one that nobody reads takes of memory.
    initialWindowSize: 256 * 1024,
    // Beyond this the stream is reset; up to it somebody can be told what was too large.
    maxHeaderListSize: maxHeaderBytes * 2,
  },
  // Browsers send each cookie as a field of its own.
  maxHeaderListPairs: 1_000,
  maxSessionMemory: 16,
  maxSettings: 16,
  maxOutstandingPings: 4,
  maxSessionInvalidFrames: 100,
  maxSessionRejectedStreams: 100,
  streamResetBurst: 400,
  streamResetRate: 33,
  // A reply is passed on as it came, twice the same field included.
  strictSingleValueFields: false,
});
