import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { constants } from 'node:http2';
import { Readable } from 'node:stream';
import type { ClientRequest, ClientSocket } from '../proxy/client.ts';
import type { RequestFields } from './request-fields.ts';

/** A request that came on a stream of HTTP/2, in the shape of one that came on a connection of HTTP/1.1. */
export class StreamRequest extends Readable implements ClientRequest {
  readonly httpVersion = '2.0';
  readonly method: string;
  readonly misdirected: boolean;
  url: string;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly socket: ClientSocket & { readonly encrypted: true };
  readonly #stream: ServerHttp2Stream;
  readonly #declared: number | null;
  #received = 0;
  #reading = false;
  #complete: boolean;

  /** `headers`: as Node reads them. `ended`: nothing follows them. */
  constructor(
    stream: ServerHttp2Stream,
    request: RequestFields,
    headers: IncomingHttpHeaders,
    { ended, remoteAddress, misdirected }: { ended: boolean; remoteAddress: string | undefined; misdirected: boolean },
  ) {
    super({ autoDestroy: false });
    this.#stream = stream;
    this.misdirected = misdirected;
    this.method = request.method;
    this.url = request.path;
    this.rawHeaders = request.fields;
    this.#declared = request.contentLength;
    this.#complete = ended;
    headers.host = request.authority;
    // A body without a length is what HTTP/1.1 sends in chunks.
    if (!ended && request.contentLength === null) headers['transfer-encoding'] = 'chunked';
    this.headers = headers;
    const received = (): number => this.#received;
    this.socket = {
      encrypted: true,
      remoteAddress,
      get bytesRead() {
        return received();
      },
      destroy: () => stream.close(constants.NGHTTP2_CANCEL),
    };
    stream.once('close', () => this.destroy());
  }

  get complete(): boolean {
    return this.#complete;
  }

  override _read(): void {
    if (this.#reading) {
      this.#stream.resume();
      return;
    }
    this.#reading = true;
    this.#stream.on('data', (chunk: Buffer) => this.#take(chunk));
    this.#stream.on('end', () => this.#end());
  }

  #take(chunk: Buffer): void {
    this.#received += chunk.length;
    // Behind, a byte more than was declared is the first one of another request.
    if (this.#declared !== null && this.#received > this.#declared) this.#refuse();
    else if (!this.push(chunk)) this.#stream.pause();
  }

  #end(): void {
    const stream = this.#stream;
    // Node ends the body of a stream that was given up as if all of it had come.
    if (stream.closed || stream.aborted) {
      this.destroy();
      return;
    }
    if (this.#declared !== null && this.#received < this.#declared) {
      this.#refuse();
      return;
    }
    this.#complete = true;
    this.push(null);
  }

  #refuse(): void {
    this.#stream.close(constants.NGHTTP2_PROTOCOL_ERROR);
    this.destroy();
  }
}
