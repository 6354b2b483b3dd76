import type { Socket } from 'node:net';
import { FrameScanner } from './frame-scanner.ts';
import type { LongLived } from './long-lived.ts';

/** Close, 1012 "service restart": what tells a client to come back at once. */
const CLOSE_1012 = Buffer.from([0x88, 0x02, 0x03, 0xf4]);
/** For a message to end, and for a client to answer the goodbye. */
const PATIENCE_MS = 2_000;
/** More, for the frame to end when the message does not: even within a message a goodbye between frames is heard. */
const FRAME_PATIENCE_MS = 3_000;
/** For what was written to be taken, once nothing more will come. */
const FLUSH_MS = 5_000;

/**
 * A WebSocket after its handshake: bytes pass both ways unread, except that the edge knows where the server's frames
 * end, so that it can say goodbye between two of them.
 */
export class Tunnel implements LongLived {
  readonly #client: Socket;
  readonly #upstream: Socket;
  readonly #scanner = new FrameScanner();
  readonly #closed: () => void;
  #ending = false;
  #saidGoodbye = false;
  #done = false;

  constructor(client: Socket, upstream: Socket, closed: () => void) {
    this.#client = client;
    this.#upstream = upstream;
    this.#closed = closed;
  }

  /**
   * `fromClient`, `fromUpstream`: what came together with the handshake. A side that takes nothing of what waits for it
   * for `stallMs` is cut off; silence alone is no reason.
   */
  start(fromClient: Buffer, fromUpstream: Buffer, stallMs: number): void {
    const client = this.#client;
    const upstream = this.#upstream;
    for (const side of [client, upstream]) {
      side.on('error', () => this.#end());
      side.on('close', () => this.#end());
      side.setTimeout(stallMs, () => {
        if (side.writableLength > 0) side.destroy();
      });
    }
    client.on('data', (chunk: Buffer) => {
      if (!upstream.write(chunk)) client.pause();
    });
    client.on('drain', () => upstream.resume());
    client.on('end', () => this.#halfClosed(upstream));
    upstream.on('data', (chunk: Buffer) => this.#toClient(chunk));
    upstream.on('drain', () => client.resume());
    upstream.on('end', () => this.#halfClosed(client));
    if (fromClient.length > 0) upstream.write(fromClient);
    if (fromUpstream.length > 0) this.#toClient(fromUpstream);
    client.resume();
    upstream.resume();
  }

  endSoftly(): void {
    if (this.#ending || this.#done) return;
    this.#ending = true;
    if (this.#scanner.atBoundary) this.#goodbye();
    else this.#after(PATIENCE_MS, () => this.#endWithinMessage());
  }

  #endWithinMessage(): void {
    if (this.#saidGoodbye) return;
    this.#scanner.anyFrame = true;
    if (this.#scanner.atBoundary) this.#goodbye();
    else this.#after(FRAME_PATIENCE_MS, () => this.#end());
  }

  #toClient(chunk: Buffer): void {
    if (this.#saidGoodbye) return;
    const read = this.#scanner.read(chunk, this.#ending);
    if (!this.#client.write(read === chunk.length ? chunk : chunk.subarray(0, read))) this.#upstream.pause();
    if (this.#ending && this.#scanner.atBoundary) this.#goodbye();
  }

  /** The client answers with a close frame of its own, which the server receives as if it had come from the client. */
  #goodbye(): void {
    if (this.#saidGoodbye) return;
    this.#saidGoodbye = true;
    if (!this.#scanner.closeSeen) this.#client.write(CLOSE_1012);
    this.#upstream.resume();
    this.#after(PATIENCE_MS, () => this.#end());
  }

  /** One side said all it had to say; the other, which no WebSocket needs any longer, gets a moment to say the same. */
  #halfClosed(other: Socket): void {
    other.end();
    this.#after(PATIENCE_MS, () => this.#end());
  }

  #end(): void {
    if (this.#done) return;
    this.#done = true;
    for (const side of [this.#client, this.#upstream]) {
      // What was written must still arrive, if anybody takes it.
      side.destroySoon();
      if (!side.destroyed) this.#after(FLUSH_MS, () => side.destroy());
    }
    this.#closed();
  }

  #after(ms: number, then: () => void): void {
    setTimeout(then, ms).unref();
  }
}
