import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

const CRLF = '\r\n';
const LAST_CHUNK = '0\r\n\r\n';

/**
 * Carries a request's body upstream, as fast as upstream takes it. Request trailers are dropped.
 *
 * A server may answer before it has read everything (413) and close; a write then fails, and with it the reply would be
 * lost that already lies in the socket. So writes wait until what can be read in this turn of the event loop was read.
 */
export class RequestBody {
  readonly #source: IncomingMessage;
  readonly #socket: Socket;
  readonly #chunked: boolean;
  readonly #queue: Buffer[] = [];
  #scheduled = false;
  #ended = false;
  #stopped = false;
  /** All of it was written. */
  finished = false;

  constructor(source: IncomingMessage, socket: Socket, chunked: boolean) {
    this.#source = source;
    this.#socket = socket;
    this.#chunked = chunked;
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
    this.#queue.push(chunk);
    this.#schedule();
  };

  readonly #onEnd = (): void => {
    this.#ended = true;
    this.#schedule();
  };

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.#flush());
  }

  #flush(): void {
    this.#scheduled = false;
    if (this.#stopped) return;
    const socket = this.#socket;
    socket.cork();
    for (const chunk of this.#queue.splice(0)) {
      if (this.#chunked) socket.write(chunk.length.toString(16) + CRLF, 'latin1');
      socket.write(chunk);
      if (this.#chunked) socket.write(CRLF, 'latin1');
    }
    if (this.#ended) {
      this.finished = true;
      if (this.#chunked) socket.write(LAST_CHUNK, 'latin1');
    }
    socket.uncork();
    if (socket.writableNeedDrain) this.#source.pause();
  }
}
