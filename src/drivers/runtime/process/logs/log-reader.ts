import { stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LogEntry, LogFile, LogQuery, LogReader } from '../../../../ports/logs.ts';
import { logLayout } from './log-layout.ts';
import { LineSplitter, logBytes, startOfLastLines } from './log-lines.ts';
import type { LogBytes } from './log-lines.ts';
import { rotateLog } from './log-rotation.ts';
import type { RotationLimits } from './log-rotation.ts';
import { noteLogTime, readLogTimes, thinLogTimes } from './log-times.ts';
import type { LogTimes } from './log-times.ts';

const DEFAULTS: RotationLimits = { maxBytes: 10 * 1024 * 1024, keep: 4 };

/** Time between two looks at files that are followed, in ms. */
const LOOK_EVERY = 150;
/** A line that has no end yet is shown after this time without more of it, in ms. */
const PATIENCE = 1_000;

/** A log that holds so many times what it may is a flood: until the next round it would take too much of the disk. */
const FLOOD = 3;
/** Such a log is looked at so many times more, with so many ms in between: less than a second in all. */
const FLOOD_LOOKS = 8;
const FLOOD_PAUSE = 50;

/** Times are told to a second or so; a first look that is a little late is still such a one. */
const YOUNG_MS = 3_000;

type Entry = LogEntry & Omit<LogFile, 'file'>;

/** Reads and rotates the logs that processes of this machine write. `maintain` is for one process at a time. */
export function logReader(limits: Partial<RotationLimits> = {}, youngMs = YOUNG_MS): LogReader {
  return new FileLogs({ ...DEFAULTS, ...limits }, youngMs);
}

class FileLogs implements LogReader {
  readonly #limits: RotationLimits;
  readonly #youngMs: number;
  /** How far each log had come when it was last looked at. */
  readonly #ends = new Map<string, number>();

  constructor(limits: RotationLimits, youngMs: number) {
    this.#limits = limits;
    this.#youngMs = youngMs;
  }

  async *read({ files, lines, follow, signal, caughtUp }: LogQuery): AsyncGenerator<Entry> {
    const cursors = await Promise.all(files.map((file) => openCursor(file, lines)));
    yield* merge(cursors, signal);
    // What an instance has not finished is for whoever waits for it, or else all there is.
    if (!follow) yield* cursors.flatMap((cursor) => cursor.rest());
    while (follow && !signal.aborted) {
      let found = false;
      for (const cursor of cursors) {
        for await (const entry of cursor.news()) {
          if (signal.aborted) return;
          found = true;
          yield entry;
        }
      }
      if (found) continue;
      caughtUp?.();
      await sleep(LOOK_EVERY, undefined, { signal }).catch(() => {});
    }
  }

  async maintain(files: string[]): Promise<void> {
    const current = new Set(files);
    for (const file of this.#ends.keys()) if (!current.has(file)) this.#ends.delete(file);
    const failures: unknown[] = [];
    let floods: string[] = [...current];
    for (let look = 0; floods.length > 0 && look <= FLOOD_LOOKS; look++) {
      if (look > 0) await sleep(FLOOD_PAUSE, undefined, { ref: false });
      const looked = floods;
      floods = [];
      // One that cannot be kept small must not let the others grow.
      for (const file of looked)
        await this.#maintainOne(file).then(
          (flood) => void (flood && floods.push(file)),
          (error: unknown) => void failures.push(error),
        );
    }
    if (failures.length > 0) throw failures[0];
  }

  /** Says whether so much came since the last look that it should be looked at again soon. */
  async #maintainOne(file: string): Promise<boolean> {
    const layout = await logLayout(file);
    if (layout === null) return false;
    const { end, base } = layout;
    const before = this.#ends.get(file);
    this.#ends.set(file, end);
    // After a pause nobody knows when this was written, only that it was before now; what is young was just now.
    if (before === undefined) await noteLogTime(file, end, (await isYoung(file, this.#youngMs)) ? Date.now() : 0);
    else if (end > before) await noteLogTime(file, end, Date.now());
    const oldest = await rotateLog(file, this.#limits);
    if (oldest !== null) await thinLogTimes(file, oldest);
    return end - base > this.#limits.maxBytes * FLOOD;
  }
}

/** Begun so lately that all it holds was written about now. */
async function isYoung(file: string, youngMs: number): Promise<boolean> {
  const { birthtimeMs } = await stat(file).catch(() => ({ birthtimeMs: 0 }));
  return Math.abs(Date.now() - birthtimeMs) < youngMs;
}

interface Cursor {
  /** Up to where the log was when the cursor was opened. */
  past(): AsyncGenerator<Entry>;
  /** What has come since the last call, at most a chunk. */
  news(): AsyncGenerator<Entry>;
  rest(): Entry[];
}

async function openCursor(source: LogFile, lines: number): Promise<Cursor> {
  const bytes = logBytes(source.file);
  const times = await readLogTimes(source.file);
  const [offset, end] = [await startOfLastLines(bytes, lines), (await bytes.end()) ?? 0];
  return new FileCursor(source, bytes, times, offset, end);
}

class FileCursor implements Cursor {
  readonly #who: Omit<LogFile, 'file'>;
  readonly #bytes: LogBytes;
  readonly #times: LogTimes;
  readonly #splitter = new LineSplitter();
  #offset: number;
  readonly #pastEnd: number;
  #quietSince = performance.now();

  constructor({ service, release, instance }: LogFile, bytes: LogBytes, times: LogTimes, offset: number, end: number) {
    this.#who = { service, release, instance };
    this.#bytes = bytes;
    this.#times = times;
    this.#offset = offset;
    this.#pastEnd = end;
  }

  async *past(): AsyncGenerator<Entry> {
    while (this.#offset < this.#pastEnd) {
      const before = this.#offset;
      for await (const entry of this.#next((end) => this.#times.at(end))) yield entry;
      if (this.#offset === before) return;
    }
  }

  async *news(): AsyncGenerator<Entry> {
    const before = this.#offset;
    yield* this.#next(() => Date.now());
    if (this.#offset !== before) this.#quietSince = performance.now();
    else if (this.#splitter.open && performance.now() - this.#quietSince > PATIENCE) yield* this.rest();
  }

  rest(): Entry[] {
    return this.#splitter.open ? [{ at: null, line: this.#splitter.take(), ...this.#who }] : [];
  }

  async *#next(at: (end: number) => number | null): AsyncGenerator<Entry> {
    const chunk = await this.#bytes.read(this.#offset);
    if (chunk === null) return;
    if (chunk.offset > this.#offset) {
      yield* this.rest();
      const line = `evenkeel: ${chunk.offset - this.#offset} bytes of output were dropped here, more than logs may hold`;
      yield { at: null, line, ...this.#who };
    }
    this.#offset = chunk.offset + chunk.bytes.length;
    for (const { text, end } of this.#splitter.push(chunk.bytes, chunk.offset)) {
      yield { at: at(end), line: text, ...this.#who };
    }
  }
}

/** The past of several logs in the order of its times; a line of unknown time stays with the one before it. */
async function* merge(cursors: readonly Cursor[], signal: AbortSignal): AsyncGenerator<Entry> {
  const heads = await Promise.all(
    cursors.map(async (cursor) => {
      const iterator = cursor.past();
      return { iterator, next: await iterator.next(), at: 0 };
    }),
  );
  for (;;) {
    if (signal.aborted) return;
    let first: (typeof heads)[number] | null = null;
    for (const head of heads) {
      if (head.next.done === true) continue;
      head.at = head.next.value.at ?? head.at;
      if (first === null || head.at < first.at) first = head;
    }
    if (first === null || first.next.done === true) return;
    yield first.next.value;
    first.next = await first.iterator.next();
  }
}
