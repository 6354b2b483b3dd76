const LF = 10;
const CR = 13;

/**
 * Follows a server-sent event stream and knows when an event has ended: after an empty line, whichever of LF, CR LF or
 * CR ends the lines.
 */
export class EventBoundary {
  /** Nothing since the last line end. */
  #emptyLine = true;
  #afterCr = false;
  /** Between two events (also before the first). */
  atBoundary = true;

  /**
   * Reads a chunk. With `stop`, ends after the first boundary in it. Returns how many bytes were read.
   */
  read(chunk: Buffer, stop: boolean): number {
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i];
      if (byte === LF && this.#afterCr) {
        // The second half of a line end that was already counted; a boundary stays one.
        this.#afterCr = false;
        if (stop && this.atBoundary) return i + 1;
        continue;
      }
      if (stop && this.atBoundary && this.#afterCr) return i;
      this.#afterCr = byte === CR;
      if (byte !== LF && byte !== CR) {
        this.#emptyLine = false;
        this.atBoundary = false;
        continue;
      }
      if (this.#emptyLine) this.atBoundary = true;
      this.#emptyLine = true;
      if (stop && this.atBoundary && byte === LF) return i + 1;
    }
    return chunk.length;
  }
}
