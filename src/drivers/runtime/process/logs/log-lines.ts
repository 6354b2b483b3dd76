import { open, stat } from 'node:fs/promises';
import { logLayout } from './log-layout.ts';
import type { LogLayout } from './log-layout.ts';

/** A longer line is cut, with a mark; in bytes. */
const LONGEST_LINE = 32 * 1024;
const CHUNK = 64 * 1024;

export interface LogLine {
  text: string;
  /** Offset behind its end. */
  end: number;
}

/** Reads a log by offsets, wherever rotation has put the bytes meanwhile. */
export interface LogBytes {
  /** Offset behind the last byte now; null when there is no such log yet. */
  end(): Promise<number | null>;
  /** Offset of the oldest byte there is. */
  start(): Promise<number>;
  /** At most `CHUNK` bytes at or, where they are gone, behind an offset; null at the end. */
  read(offset: number): Promise<{ offset: number; bytes: Buffer } | null>;
}

export function logBytes(file: string): LogBytes {
  let known: { size: number; layout: LogLayout } | null = null;

  /** Most looks find nothing new, and cost one call. */
  const layout = async (): Promise<LogLayout | null> => {
    const size = (await stat(file).catch(() => null))?.size;
    if (size === undefined) return null;
    if (known?.size === size) return known.layout;
    const found = await logLayout(file);
    known = found === null ? null : { size, layout: found };
    return found;
  };

  const read: LogBytes['read'] = async (offset) => {
    const before = await layout();
    if (before === null) return null;
    const found = locate(file, before, offset);
    if (found === null) return null;
    const bytes = await readBytes(found.path, found.position, Math.min(CHUNK, found.length));
    if (bytes !== null && bytes[0] !== 0) return { offset: found.offset, bytes };
    // The piece is gone, or these are the zeros of a hole: rotated since the last look, unless zeros is what was written.
    known = null;
    const after = await layout();
    if (after === null) return null;
    if (after.base !== before.base || after.pieces[0]?.start !== before.pieces[0]?.start) return read(offset);
    return bytes === null ? null : { offset: found.offset, bytes };
  };

  return {
    end: async () => (await layout())?.end ?? null,
    start: async () => {
      const found = await layout();
      return found?.pieces[0]?.start ?? found?.shift ?? 0;
    },
    read,
  };
}

function locate(file: string, { pieces, base, shift, end }: LogLayout, offset: number) {
  for (const piece of pieces) {
    if (offset >= piece.end || piece.end === piece.start) continue; // an empty one only marks a gap
    const at = Math.max(offset, piece.start);
    return { path: piece.path, offset: at, position: at - piece.start, length: piece.end - at };
  }
  const at = Math.max(offset, base);
  return at >= end ? null : { path: file, offset: at, position: at - shift, length: end - at };
}

async function readBytes(path: string, position: number, length: number): Promise<Buffer | null> {
  const handle = await open(path, 'r').catch(() => null);
  if (handle === null) return null;
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, position);
    return bytesRead === 0 ? null : buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

/** Offset at which the last `count` lines begin. Reads backwards, and no more than it must. */
export async function startOfLastLines(bytes: LogBytes, count: number): Promise<number> {
  const end = (await bytes.end()) ?? 0;
  if (count === 0) return end;
  const oldest = await bytes.start();
  let wanted = count;
  for (let to = end; to > oldest;) {
    const from = Math.max(oldest, to - CHUNK);
    for (const chunk of (await readBetween(bytes, from, to)).toReversed()) {
      for (let at = chunk.bytes.lastIndexOf(10); at !== -1; at = at === 0 ? -1 : chunk.bytes.lastIndexOf(10, at - 1)) {
        // The newline at the very end closes the last line and opens none.
        if (chunk.offset + at + 1 === end) continue;
        wanted--;
        if (wanted === 0) return chunk.offset + at + 1;
      }
    }
    to = from;
  }
  return oldest;
}

/** Several chunks where rotation cut between. */
async function readBetween(bytes: LogBytes, from: number, to: number): Promise<{ offset: number; bytes: Buffer }[]> {
  const chunks: { offset: number; bytes: Buffer }[] = [];
  for (let at = from; at < to;) {
    const chunk = await bytes.read(at);
    if (chunk === null || chunk.offset >= to) break;
    chunks.push({ offset: chunk.offset, bytes: chunk.bytes.subarray(0, to - chunk.offset) });
    at = chunk.offset + chunk.bytes.length;
  }
  return chunks;
}

/** Takes bytes as they come and gives out whole lines; holds no more than the longest line. */
export class LineSplitter {
  #parts: Buffer[] = [];
  #held = 0;
  #dropped = 0;

  /** True while it holds the beginning of a line. */
  get open(): boolean {
    return this.#held + this.#dropped > 0;
  }

  *push(bytes: Buffer, offset: number): Generator<LogLine> {
    let from = 0;
    for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, from)) {
      this.#hold(bytes.subarray(from, at));
      yield { text: this.take(), end: offset + at + 1 };
      from = at + 1;
    }
    this.#hold(bytes.subarray(from));
  }

  /** What it holds, as a line; also one whose end never came. */
  take(): string {
    const text = Buffer.concat(this.#parts).toString('utf8').replace(/\r$/, '');
    const line = this.#dropped === 0 ? text : `${text} … (${this.#dropped} bytes cut)`;
    this.#parts = [];
    this.#held = 0;
    this.#dropped = 0;
    return line;
  }

  #hold(bytes: Buffer): void {
    const kept = bytes.subarray(0, LONGEST_LINE - this.#held);
    if (kept.length > 0) this.#parts.push(Buffer.from(kept));
    this.#held += kept.length;
    this.#dropped += bytes.length - kept.length;
  }
}
