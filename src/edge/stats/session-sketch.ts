/**
 * Counts distinct sessions in 16 KiB however many there are (HyperLogLog, 2^14 registers: off by 0.8 % of large
 * counts, by less than one of small ones). Two sketches merge into the sketch of both, so what several edge processes
 * saw can be added without counting a session twice.
 */

const INDEX_BITS = 14;
const REGISTERS = 1 << INDEX_BITS;
const ALPHA = 0.7213 / (1 + 1.079 / REGISTERS);

export class SessionSketch {
  readonly #registers = new Uint8Array(REGISTERS);

  /**
   * Adds a 53-bit hash. The index comes from its lowest bits and the rank from its middle: the highest ones decide who
   * owns a session, so within one arm they are all alike.
   */
  add(hash: number): void {
    const index = hash & (REGISTERS - 1);
    const rank = Math.clz32(Math.floor(hash / REGISTERS) >>> 0) + 1;
    if (rank > (this.#registers[index] ?? 0)) this.#registers[index] = rank;
  }

  merge(other: SessionSketch): void {
    for (let i = 0; i < REGISTERS; i++) {
      const theirs = other.#registers[i] ?? 0;
      if (theirs > (this.#registers[i] ?? 0)) this.#registers[i] = theirs;
    }
  }

  count(): number {
    let sum = 0;
    let empty = 0;
    for (const rank of this.#registers) {
      sum += 2 ** -rank;
      if (rank === 0) empty++;
    }
    const estimate = (ALPHA * REGISTERS * REGISTERS) / sum;
    if (estimate <= 2.5 * REGISTERS && empty > 0) return Math.round(REGISTERS * Math.log(REGISTERS / empty));
    return Math.round(estimate);
  }

  /** Text for a state file: pairs of index and rank while they are few, else all registers. */
  encode(): string {
    const pairs: number[] = [];
    for (let i = 0; i < REGISTERS; i++) if ((this.#registers[i] ?? 0) > 0) pairs.push(i, this.#registers[i] ?? 0);
    if (pairs.length > 4_000) return `d${Buffer.from(this.#registers).toString('base64')}`;
    return `s${pairs.join(',')}`;
  }

  static decode(text: string): SessionSketch {
    const sketch = new SessionSketch();
    if (text.startsWith('d')) sketch.#registers.set(Buffer.from(text.slice(1), 'base64').subarray(0, REGISTERS));
    else if (text.length > 1) {
      const pairs = text.slice(1).split(',').map(Number);
      for (let i = 0; i + 1 < pairs.length; i += 2) sketch.#registers[pairs[i] ?? REGISTERS] = pairs[i + 1] ?? 0;
    }
    return sketch;
  }
}
