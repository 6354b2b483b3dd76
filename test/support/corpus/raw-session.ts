import { once } from 'node:events';
import { connect } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { block, errorName, FLAG, FRAME, frame, FrameReader, PREFACE, statusOf } from './frames.ts';
import type { Fields, Frame } from './frames.ts';

/** A client of HTTP/2 that says what it is told to, and keeps only the manners without which nobody would talk to it. */
export class RawSession {
  readonly socket: TLSSocket;
  /** What was answered, in order: statuses, `reset CODE`, `goaway CODE`. What ends without an error is none. */
  readonly answers: string[] = [];
  readonly frames: Frame[] = [];
  readonly closed: Promise<unknown>;
  readonly #reader = new FrameReader();

  private constructor(socket: TLSSocket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => socket.once('close', resolve));
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      for (const each of this.#reader.feed(bytes)) this.#hear(each);
    });
  }

  /** `first`: what is sent before anything else. */
  static async open(port: number, first: string = PREFACE): Promise<RawSession> {
    const options = { servername: 'a.example', rejectUnauthorized: false, ALPNProtocols: ['h2'] };
    const socket = connect({ port, host: '127.0.0.1', ...options });
    await once(socket, 'secureConnect');
    socket.setNoDelay(true);
    const session = new RawSession(socket);
    session.write(Buffer.from(first, 'latin1'));
    if (first === PREFACE) session.write(frame(FRAME.settings, 0, 0));
    return session;
  }

  write(bytes: Buffer): void {
    if (!this.socket.destroyed) this.socket.write(bytes);
  }

  /** A request without a body. */
  get(stream: number, path: string, more: Fields = []): void {
    this.write(frame(FRAME.headers, FLAG.endHeaders | FLAG.endStream, stream, block([...head(path), ...more])));
  }

  #hear(each: Frame): void {
    this.frames.push(each);
    const { type, flags, payload } = each;
    if (type === FRAME.settings && (flags & FLAG.ack) === 0) this.write(frame(FRAME.settings, FLAG.ack, 0));
    else if (type === FRAME.headers) {
      const status = statusOf(payload);
      if (status >= 200) this.answers.push(String(status));
    } else if (type === FRAME.reset && payload.readUInt32BE(0) !== 0)
      this.answers.push(`reset ${errorName(payload.readUInt32BE(0))}`);
    else if (type === FRAME.goaway && payload.readUInt32BE(4) !== 0)
      this.answers.push(`goaway ${errorName(payload.readUInt32BE(4))}`);
  }
}

export const head = (path: string, method = 'GET'): Fields => [
  [':method', method],
  [':scheme', 'https'],
  [':authority', 'a.example'],
  [':path', path],
];
