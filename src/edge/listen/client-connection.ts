import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { Socket } from 'node:net';
import type { ClientReply, ClientRequest } from '../proxy/client.ts';

/** What Node's server leaves to chance on a client's connection: order, stalled readers, and what cannot be read. */

/** More than any honest client sends before it reads a reply; the rest would only fill memory. */
const MAX_PIPELINED = 100;

type Handle = (req: IncomingMessage, res: ServerResponse) => void;

/**
 * Hands on the requests of a connection one after the other. Node hands on pipelined ones all at once and sorts their
 * replies: a second POST would overtake the first, and one packet could open a thousand connections to an instance.
 */
export class InTurn {
  readonly #handle: Handle;
  readonly #waiting = new WeakMap<Socket, number>();

  constructor(handle: Handle) {
    this.#handle = handle;
  }

  request(req: IncomingMessage, res: ServerResponse): void {
    // What comes after a reply that said it was the last is not asked any more.
    if (req.socket.writableEnded) req.socket.destroy();
    // Node gives a response its socket when those before it have ended.
    else if (res.socket !== null) this.#start(req, res);
    else this.#queue(req, res);
  }

  #queue(req: IncomingMessage, res: ServerResponse): void {
    const { socket } = req;
    const waiting = (this.#waiting.get(socket) ?? 0) + 1;
    this.#waiting.set(socket, waiting);
    if (waiting > MAX_PIPELINED) {
      socket.destroy();
      return;
    }
    res.once('socket', () => {
      this.#waiting.set(socket, (this.#waiting.get(socket) ?? 1) - 1);
      this.#start(req, res);
    });
  }

  /** Whatever goes wrong with a request ends its connection and nothing else; it is told where such things are told. */
  #start(req: IncomingMessage, res: ServerResponse): void {
    try {
      this.#handle(req, res);
    } catch (error) {
      res.destroy();
      setImmediate(() => {
        throw error;
      });
    }
  }
}

/** Node's own mark on a socket: the response that is being written to it. */
type Marked = Duplex & { _httpMessage?: { headersSent: boolean } | null };

/** Whether a reply is due or under way on a connection. */
export const isAnswering = (socket: Duplex): boolean => ((socket as Marked)._httpMessage ?? null) !== null;

/**
 * Closes connections whose client takes nothing of what was sent to it for `stallMs`, however its exchange ended. The
 * kernel's and Node's buffers take a small reply whole, so nobody else waits for such a client any more.
 */
export function cutStalled(server: Server, stallMs: number): void {
  // Also the time that Node sets for an idle connection ends here; then no reply is due.
  server.timeout = stallMs;
  server.on('timeout', (socket: Socket) => {
    if (socket.writableLength > 0 || !isAnswering(socket)) socket.destroy();
  });
}

/** For a client to notice that it was answered before it had sent everything. */
const LINGER_MS = 5_000;

/**
 * Bounds what is still read of a request after its reply: closing at once would take the reply away from a client that
 * is busy sending, and reading on for as long as it likes would let it keep the edge busy for nothing.
 */
export function boundRest(req: ClientRequest, res: ClientReply): void {
  // Before Node, which ends here a connection that was told to close.
  res.prependOnceListener('finish', () => {
    if (req.complete) return;
    const { socket } = req;
    let ends = false;
    // Node's own would destroy it while bytes are unread, and the kernel then resets the connection, reply and all.
    if (socket instanceof Socket) {
      socket.destroySoon = () => {
        ends = true;
        socket.end();
      };
    }
    setTimeout(() => {
      if (ends || !req.complete) socket.destroy();
    }, LINGER_MS).unref();
  });
}

const REFUSALS: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: '413 Payload Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

/** Refuses what cannot be read, unless a reply to what came before it has begun. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
  // More after a request that said it was the last: that one is answered, and the connection ends with it.
  if (error.code === 'HPE_CLOSED_CONNECTION' && isAnswering(socket)) return;
  // More of the head that was refused already.
  if (socket.writableEnded) return;
  const begun = (socket as Marked)._httpMessage?.headersSent === true;
  if (!socket.writable || begun) {
    socket.destroy();
    return;
  }
  // People with too many cookies should read why. What is wrong within a body must end its request at once.
  const lingers = error.code === 'HPE_HEADER_OVERFLOW' && !isAnswering(socket);
  socket.end(`HTTP/1.1 ${REFUSALS[error.code ?? ''] ?? '400 Bad Request'}\r\nConnection: close\r\n\r\n`, 'latin1');
  if (lingers) setTimeout(() => socket.destroy(), LINGER_MS).unref();
  else socket.destroy();
}
