import { Socket } from 'node:net';

type Done = (error?: Error | null) => void;

/**
 * A socket that goes on reading after a write has failed.
 *
 * A server may answer before it has read everything (413) and close. The next write then fails, and with it a plain
 * socket throws away the reply that already lies in the kernel's buffer. Here the rest of what was to be written is
 * forgotten, what was received is read to its end, and the end is seen as an end.
 */
export class OneWaySocket extends Socket {
  #refused = false;

  override _write(chunk: Buffer | string, encoding: BufferEncoding, done: Done): void {
    if (this.#refused) done();
    else super._write(chunk, encoding, this.#forgiving(done));
  }

  override _writev(chunks: { chunk: Buffer | string; encoding: BufferEncoding }[], done: Done): void {
    if (this.#refused) done();
    else super._writev?.(chunks, this.#forgiving(done));
  }

  #forgiving(done: Done): Done {
    return (error) => {
      const code = error instanceof Error && 'code' in error ? error.code : null;
      this.#refused = code === 'EPIPE' || code === 'ECONNRESET';
      done(this.#refused ? null : error);
    };
  }
}
