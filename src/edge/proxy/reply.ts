import type { LiveInstance } from '../live/instance.ts';
import { EventBoundary } from '../stream/event-boundary.ts';
import type { LongLived } from '../stream/long-lived.ts';
import type { UpstreamConnection } from '../upstream/connection.ts';
import type { ParsedHead } from '../upstream/response-parser.ts';
import type { ClientReply, ClientRequest } from './client.ts';
import type { ProxyContext } from './context.ts';
import type { UpgradeRequest } from './forwarding.ts';
import type { ResponseHead } from './response-head.ts';

/** For the event that is being sent to end, once the stream shall. */
const EVENT_PATIENCE_MS = 5_000;

/** What a status line may hold after its number; llhttp does not look. */
const REASON = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Bodies up to here are written as a string together with the head. */
const ONE_WRITE_BYTES = 4 * 1024;

/** The client's side of an exchange: passes a reply on as fast as the client takes it. */
export class Reply implements LongLived {
  readonly #context: ProxyContext;
  readonly #req: ClientRequest;
  readonly #res: ClientReply;
  /** The stream was ended from here; the upstream is not needed any more. */
  readonly #endedEarly: () => void;
  #connection: UpstreamConnection | null = null;
  #instance: LiveInstance | null = null;
  #events: EventBoundary | null = null;
  #ending = false;
  #left: number | null = null;
  begun = false;
  /** A 101 was sent. */
  switched = false;
  activeAt = 0;
  /** Since when the client takes nothing, or 0. */
  pausedSince = 0;

  constructor(context: ProxyContext, req: ClientRequest, res: ClientReply, endedEarly: () => void) {
    this.#context = context;
    this.#req = req;
    this.#res = res;
    this.#endedEarly = endedEarly;
  }

  get isEventStream(): boolean {
    return this.#events !== null;
  }

  begin(
    { status, message }: ParsedHead,
    parsed: ResponseHead,
    own: readonly string[],
    connection: UpstreamConnection,
    instance: LiveInstance | null,
  ): void {
    this.begun = true;
    this.#connection = connection;
    this.#left = parsed.contentLength;
    const { headers } = parsed;
    for (const each of own) headers.push(each);
    const unframed = parsed.contentLength === null && status !== 204 && status !== 304;
    if (parsed.trailer !== undefined && unframed && this.#req.method !== 'HEAD' && this.#req.httpVersion !== '1.0')
      headers.push('Trailer', parsed.trailer);
    this.#res.writeHead(status, REASON.test(message) ? message : '', headers);
    if (this.#req.method === 'HEAD' || !parsed.contentType.startsWith('text/event-stream')) return;
    this.#events = new EventBoundary();
    this.#instance = instance;
    this.#context.longLived.add(this);
    instance?.longLived.add(this);
    // A client waits for the head of a stream, however late its first event.
    this.#res.flushHeaders();
    if (this.#context.draining || instance?.shedding === true) this.endSoftly();
  }

  write(chunk: Buffer): void {
    this.activeAt = performance.now();
    const events = this.#events;
    if (events !== null) {
      const read = events.read(chunk, this.#ending);
      this.#pass(read === chunk.length ? chunk : chunk.subarray(0, read));
      if (this.#ending && events.atBoundary) this.#endNow();
      return;
    }
    if (this.#left !== null) {
      this.#left -= chunk.length;
      if (this.#left === 0) {
        // Head and body leave in one write when both are here; as one string they cost the kernel a third less than as
        // two buffers, and latin1 gives every byte back as it was.
        if (chunk.length <= ONE_WRITE_BYTES) this.#res.end(chunk.toString('latin1'), 'latin1');
        else this.#res.end(chunk);
        return;
      }
    }
    this.#pass(chunk);
  }

  end(trailers: string[] | null): void {
    this.forget();
    if (this.#res.writableEnded) return;
    if (trailers !== null) this.#addTrailers(trailers);
    this.#res.end();
  }

  /** Sends the reply to a WebSocket handshake; the connection is raw afterwards. */
  switchProtocols({ socket, detach }: UpgradeRequest, { headers, message }: ParsedHead, own: readonly string[]): void {
    this.begun = true;
    this.switched = true;
    detach();
    let head = `HTTP/1.1 101 ${REASON.test(message) ? message : ''}\r\n`;
    for (let i = 0; i < headers.length; i += 2) head += `${headers[i] ?? ''}: ${headers[i + 1] ?? ''}\r\n`;
    for (let i = 0; i < own.length; i += 2)
      if (own[i] !== 'Connection') head += `${own[i] ?? ''}: ${own[i + 1] ?? ''}\r\n`;
    socket.write(`${head}\r\n`, 'latin1');
  }

  /** An event stream ends between two events. */
  endSoftly(): void {
    if (this.#ending || this.#events === null || this.#res.writableEnded) return;
    this.#ending = true;
    if (this.#events.atBoundary) this.#endNow();
    else setTimeout(() => this.#endNow(), EVENT_PATIENCE_MS).unref();
  }

  #endNow(): void {
    if (this.#res.writableEnded) return;
    this.forget();
    this.#res.end();
    this.#endedEarly();
  }

  #pass(chunk: Buffer): void {
    if (chunk.length === 0 || this.#res.write(chunk) || this.pausedSince > 0) return;
    this.pausedSince = performance.now();
    const connection = this.#connection;
    connection?.pause();
    this.#res.once('drain', () => {
      this.pausedSince = 0;
      if (this.#connection === connection) connection?.resume();
    });
  }

  #addTrailers(trailers: readonly string[]): void {
    const pairs: [string, string][] = [];
    for (let i = 0; i < trailers.length; i += 2) pairs.push([trailers[i] ?? '', trailers[i + 1] ?? '']);
    this.#res.addTrailers(pairs);
  }

  /** The upstream connection goes back to its pool, or is gone. */
  forget(): void {
    this.#connection = null;
    if (this.#events === null) return;
    this.#context.longLived.delete(this);
    this.#instance?.longLived.delete(this);
  }
}
