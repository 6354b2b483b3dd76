import type { Socket } from 'node:net';
import type { ClientRequest } from '../proxy/client.ts';

const CRLF = '\r\n';
const LAST_CHUNK = '0\r\n\r\n';

/** For a body whose length is not known: `exceeded` is called, once, when it turns out to be longer. */
export interface BodyLimit {
  readonly most: number;
  exceeded(): void;
}

/** Carries a request's body upstream, as fast as upstream takes it. Request trailers are dropped. */
export class RequestBody {
  readonly #source: ClientRequest;
  readonly #socket: Socket;
  readonly #chunked: boolean;
  readonly #limit: BodyLimit | null;
  #bytes = 0;
  #stopped = false;
  /** All of it was written. */
  finished = false;

  constructor(source: ClientRequest, socket: Socket, chunked: boolean, limit: BodyLimit | null) {
    this.#source = source;
    this.#socket = socket;
    this.#chunked = chunked;
    this.#limit = limit;
  }

  start(): void {
    this.#source.on('data', this.#onData);
    this.#source.on('end', this.#onEnd);
  }

  /** Upstream drained. */
  resume(): void {
    if (!this.#stopped) this.#source.resume();
  }

  /** Upstream needs no more; what the client still sends is read and forgotten. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#source.off('data', this.#onData);
    this.#source.off('end', this.#onEnd);
    if (!this.finished) this.#source.resume();
  }

  readonly #onData = (chunk: Buffer): void => {
    if (this.#limit !== null) {
      this.#bytes += chunk.length;
      if (this.#bytes > this.#limit.most) {
        this.#limit.exceeded();
        return;
      }
    }
    const socket = this.#socket;
    socket.cork();
    if (this.#chunked) socket.write(chunk.length.toString(16) + CRLF, 'latin1');
    socket.write(chunk);
    if (this.#chunked) socket.write(CRLF, 'latin1');
    socket.uncork();
    if (socket.writableNeedDrain) this.#source.pause();
  };

  readonly #onEnd = (): void => {
    this.finished = true;
    if (this.#chunked) this.#socket.write(LAST_CHUNK, 'latin1');
  };
}
