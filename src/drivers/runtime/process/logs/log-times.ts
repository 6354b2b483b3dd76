import { appendFile, readFile, rename, writeFile } from 'node:fs/promises';

/**
 * When a log was written: instances write it themselves, without times, so evenkeel notes every second or so how far
 * it had come (`<log>.times`, lines of `OFFSET MS`). 0 for the time says that nobody was looking before.
 */
export interface LogTimes {
  /** When the byte before this offset was written, in ms, to a second or so; null when that is not known. */
  at(end: number): number | null;
}

const timesFile = (file: string): string => `${file}.times`;

/** Beyond this size (bytes) every second note is dropped. */
const LARGEST = 512 * 1024;

export async function readLogTimes(file: string): Promise<LogTimes> {
  const notes = parse(await readFile(timesFile(file), 'utf8').catch(() => ''));
  return {
    at(end) {
      let low = 0;
      let high = notes.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if ((notes[middle]?.offset ?? 0) < end) low = middle + 1;
        else high = middle;
      }
      return notes[low]?.at || null;
    },
  };
}

/** Notes that the log has come to `end` now; `at` is 0 at the first look. */
export async function noteLogTime(file: string, end: number, at: number): Promise<void> {
  await appendFile(timesFile(file), `${end} ${at}\n`, { mode: 0o600 });
}

/** Drops what concerns bytes that are gone, and thins the rest out when there is too much. */
export async function thinLogTimes(file: string, oldest: number): Promise<void> {
  const text = await readFile(timesFile(file), 'utf8').catch(() => '');
  const kept = parse(text).filter(({ offset }) => offset >= oldest);
  const thin = kept.length * 28 > LARGEST ? kept.filter((_, index) => index % 2 === 1) : kept;
  const temporary = `${timesFile(file)}.tmp`;
  await writeFile(temporary, thin.map(({ offset, at }) => `${offset} ${at}\n`).join(''), { mode: 0o600 });
  await rename(temporary, timesFile(file));
}

function parse(text: string): { offset: number; at: number }[] {
  const notes: { offset: number; at: number }[] = [];
  for (const line of text.split('\n')) {
    const [offset, at] = line.split(' ').map(Number);
    if (offset !== undefined && at !== undefined && Number.isFinite(offset + at)) notes.push({ offset, at });
  }
  return notes;
}
