/** Follows one direction of a WebSocket by its frame headers alone; payloads are skipped, never read. */

const FINAL_FRAGMENT = 0x80;
const OPCODE_CLOSE = 8;

export class FrameScanner {
  /** Header bytes of the frame that is being read; 2 to 14. */
  readonly #header = Buffer.alloc(14);
  #have = 0;
  #need = 2;
  #payloadLeft = 0;
  #inMessage = false;
  /** The peer said goodbye itself. */
  closeSeen = false;
  /** The end of any frame will do, be it the last of its message or not. */
  anyFrame = false;

  /** Between two messages (or frames): nothing is cut by a frame put here. */
  get atBoundary(): boolean {
    return this.#have === 0 && this.#payloadLeft === 0 && (this.anyFrame || !this.#inMessage);
  }

  /** Reads a chunk. With `stop`, ends at the first boundary after something was read. Returns bytes read. */
  read(chunk: Buffer, stop: boolean): number {
    let at = 0;
    while (at < chunk.length) {
      if (this.#payloadLeft > 0) {
        const skipped = Math.min(this.#payloadLeft, chunk.length - at);
        this.#payloadLeft -= skipped;
        at += skipped;
      } else {
        this.#header[this.#have++] = chunk[at++] ?? 0;
        if (this.#have === 2) this.#need = headerLength(this.#header[1] ?? 0);
        if (this.#have === this.#need) this.#beginPayload();
      }
      if (stop && this.atBoundary) return at;
    }
    return at;
  }

  #beginPayload(): void {
    const first = this.#header[0] ?? 0;
    const length = (this.#header[1] ?? 0) & 0x7f;
    if (length < 126) this.#payloadLeft = length;
    else if (length === 126) this.#payloadLeft = this.#header.readUInt16BE(2);
    else this.#payloadLeft = Number(this.#header.readBigUInt64BE(2));
    const opcode = first & 0x0f;
    if (opcode === OPCODE_CLOSE) this.closeSeen = true;
    // Control frames may come between the fragments of a message and say nothing about it.
    if (opcode < 8) this.#inMessage = (first & FINAL_FRAGMENT) === 0;
    this.#have = 0;
    this.#need = 2;
  }
}

/** Of a frame header, from its second byte: masked or not, and which form of length. */
function headerLength(second: number): number {
  const length = second & 0x7f;
  const extended = length === 126 ? 2 : length === 127 ? 8 : 0;
  return 2 + extended + ((second & 0x80) === 0 ? 0 : 4);
}
