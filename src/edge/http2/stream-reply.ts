import { constants } from 'node:http2';
import type { ServerHttp2Stream } from 'node:http2';
import { Writable } from 'node:stream';
import type { ClientReply } from '../proxy/client.ts';
import type { Farewell } from './farewell.ts';

type Done = (error?: Error | null) => void;

/** They speak about one connection of HTTP/1.1. */
const OF_CONNECTIONS = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
]);

const WITHOUT_BODY = new Set([204, 205, 304]);

/** The reply on a stream of HTTP/2, in the shape of one on a connection of HTTP/1.1. */
export class StreamReply extends Writable implements ClientReply {
  readonly #stream: ServerHttp2Stream;
  readonly #request: { readonly method: string; readonly complete: boolean };
  readonly #farewell: Farewell;
  /** Of a reply without a body: its end as well. */
  #head: string[] = [];
  #headersSent = false;
  #bodiless = false;
  #trailers: [string, string][] = [];
  #mayHaveTrailers = false;
  /** Since when the client takes nothing of what is being sent, monotonic ms, or 0. */
  waitingSince = 0;
  /** The client gave it up, or broke a rule over it. */
  abandoned = false;

  constructor(
    stream: ServerHttp2Stream,
    request: { readonly method: string; readonly complete: boolean },
    farewell: Farewell,
  ) {
    super();
    this.#stream = stream;
    this.#request = request;
    this.#farewell = farewell;
    stream.once('close', () => {
      if (this.writableEnded && stream.rstCode === constants.NGHTTP2_NO_ERROR) {
        // All of it was sent, which is told after the stream has closed.
        setImmediate(() => this.destroy());
        return;
      }
      this.abandoned = !this.destroyed;
      this.destroy();
    });
    this.once('finish', () => {
      if (!this.#mayHaveTrailers) this.#refuseRest();
    });
    // Why a stream broke is no news to who asks for its reply to be destroyed; it shows in `close`.
    this.on('error', () => undefined);
  }

  get headersSent(): boolean {
    return this.#headersSent;
  }

  writeHead(status: number, headers: string[]): void;
  writeHead(status: number, reason: string, headers: string[]): void;
  writeHead(status: number, reason: string | string[], rest?: string[]): void {
    const stream = this.#stream;
    this.#headersSent = true;
    const headers = forStream(status, typeof reason === 'string' ? (rest ?? []) : reason);
    this.#bodiless = this.#request.method === 'HEAD' || WITHOUT_BODY.has(status);
    this.#mayHaveTrailers = !this.#bodiless && !headers.includes('content-length');
    this.#head = headers;
    if (this.#bodiless || stream.closed || stream.destroyed) return;
    if (this.#mayHaveTrailers) stream.on('wantTrailers', () => this.#sendTrailers());
    stream.respond(headers, { waitForTrailers: this.#mayHaveTrailers });
  }

  /** A head leaves by itself. */
  flushHeaders(): void {}

  writeContinue(): void {
    if (!this.#stream.closed) this.#stream.additionalHeaders({ ':status': 100 });
  }

  addTrailers(trailers: [string, string][]): void {
    this.#trailers = trailers;
  }

  /** Ends the stream from here, with a status if none was sent yet. */
  giveUp(status: number): void {
    const stream = this.#stream;
    if (!this.#headersSent && !stream.closed) {
      this.#headersSent = true;
      stream.respond([':status', String(status), 'content-length', '0'], { endStream: true });
      stream.close(constants.NGHTTP2_NO_ERROR);
    }
    this.destroy();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    if (this.#bodiless) done();
    else this.#stream.write(chunk, this.#waitFor(done));
  }

  override _final(done: Done): void {
    this.#farewell.end(() => {
      const stream = this.#stream;
      if (!this.#bodiless) stream.end(this.#waitFor(done));
      else {
        if (!stream.closed && !stream.destroyed) stream.respond(this.#head, { endStream: true });
        done();
      }
    });
  }

  override _destroy(error: Error | null, done: Done): void {
    // Half a reply must not look like a whole one.
    if (!this.writableFinished && !this.#stream.closed) this.#stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    done(error);
  }

  #waitFor(done: Done): Done {
    this.waitingSince = performance.now();
    return (error) => {
      this.waitingSince = 0;
      done(error);
    };
  }

  #sendTrailers(): void {
    const pairs = this.#trailers.filter(([name]) => !name.startsWith(':') && !OF_CONNECTIONS.has(name.toLowerCase()));
    const trailers: Record<string, string[]> = {};
    for (const [name, value] of pairs) (trailers[name.toLowerCase()] ??= []).push(value);
    this.#stream.sendTrailers(trailers);
    this.#refuseRest();
  }

  /** An answered client need not send what is left of its request. */
  #refuseRest(): void {
    if (!this.#request.complete) this.#stream.close(constants.NGHTTP2_NO_ERROR);
  }
}

/** In lower case, with the status first. */
function forStream(status: number, headers: readonly string[]): string[] {
  const sent = [':status', String(status)];
  for (let i = 0; i < headers.length; i += 2) {
    const name = (headers[i] ?? '').toLowerCase();
    if (!OF_CONNECTIONS.has(name)) sent.push(name, (headers[i + 1] ?? '').trim());
  }
  return sent;
}
