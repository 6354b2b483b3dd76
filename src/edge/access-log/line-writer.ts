import { mkdir, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { EdgeLog } from '../log.ts';

const FLUSH_MS = 250;
/** Waiting for a disk that is slow or full; what comes then is counted and forgotten. */
const MOST_WAITING = 1024 * 1024;
/** On the disk, when nobody has made the file smaller for long: the controller does that, and it may be away. */
const MOST_KEPT = 64 * 1024 * 1024;
const LOOK_EVERY_MS = 5_000;

/** What is written in one call stands in the file undivided; Node itself divides what is longer than 512 KiB. */
const MOST_AT_ONCE = 256 * 1024;

/**
 * Appends lines to a file without anybody waiting for it. Several edge processes write to one file, whole lines at a
 * time; the file is opened anew for every flush, so it may be removed at any time.
 */
export class LineWriter {
  readonly #file: string;
  readonly #log: EdgeLog;
  readonly #most: { waiting: number; kept: number };
  #lines: string[] = [];
  #waiting = 0;
  #dropped = 0;
  #timer: NodeJS.Timeout | null = null;
  #writing: Promise<void> = Promise.resolve();
  #busy = false;
  #lookedAt = -Infinity;
  #full = false;
  #complained = false;

  constructor(file: string, log: EdgeLog, most = { waiting: MOST_WAITING, kept: MOST_KEPT }) {
    this.#file = file;
    this.#log = log;
    this.#most = most;
  }

  write(line: string): void {
    if (this.#waiting + line.length > this.#most.waiting) {
      this.#dropped++;
      return;
    }
    this.#lines.push(line);
    this.#waiting += line.length;
    this.#timer ??= setTimeout(() => this.#flushSoon(), FLUSH_MS).unref();
  }

  /** Everything that was written so far is in the file, or lost. */
  async flush(): Promise<void> {
    this.#flushSoon();
    await this.#writing;
  }

  #flushSoon(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#busy || (this.#lines.length === 0 && this.#dropped === 0)) return;
    this.#busy = true;
    this.#writing = this.#append().finally(() => {
      this.#busy = false;
      if (this.#lines.length > 0) this.#timer ??= setTimeout(() => this.#flushSoon(), FLUSH_MS).unref();
    });
  }

  async #append(): Promise<void> {
    const lines = this.#lines;
    const dropped = this.#dropped;
    this.#lines = [];
    this.#dropped = 0;
    try {
      await mkdir(dirname(this.#file), { recursive: true, mode: 0o700 });
      if (await this.#tooLarge()) throw new Error('it has grown too large, and nobody makes it smaller');
      if (dropped > 0) lines.push(JSON.stringify({ at: new Date().toISOString(), dropped }));
      const handle = await open(this.#file, 'a', 0o600);
      try {
        for (const part of partsOf(lines)) await handle.appendFile(part);
      } finally {
        await handle.close();
      }
      this.#complained = false;
    } catch (error) {
      this.#dropped += dropped + lines.length;
      if (!this.#complained)
        this.#log('warn', 'the access log cannot be written; its lines are dropped', {
          file: this.#file,
          error: error instanceof Error ? error.message : String(error),
        });
      this.#complained = true;
    } finally {
      this.#waiting = this.#lines.reduce((sum, line) => sum + line.length, 0);
    }
  }

  /** By the blocks that it has: a file whose front was cut off keeps its length. */
  async #tooLarge(): Promise<boolean> {
    const now = performance.now();
    if (now - this.#lookedAt > LOOK_EVERY_MS) {
      this.#lookedAt = now;
      const blocks = await stat(this.#file).then(
        (info) => info.blocks,
        () => 0,
      );
      this.#full = blocks * 512 > this.#most.kept;
    }
    return this.#full;
  }
}

/** Whole lines, as many to a part as one call writes. */
function* partsOf(lines: readonly string[]): Generator<Buffer> {
  let part: string[] = [];
  let size = 0;
  for (const line of lines) {
    // Three bytes come of a character at most.
    if (3 * (size + line.length) > MOST_AT_ONCE && part.length > 0) {
      yield Buffer.from(`${part.join('\n')}\n`);
      part = [];
      size = 0;
    }
    part.push(line);
    size += line.length + 1;
  }
  if (part.length > 0) yield Buffer.from(`${part.join('\n')}\n`);
}
