import { appendFile, mkdir, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

const TAIL_BYTES = 4096;
const TAIL_LINES = 20;
/** Lines of ours about what was left out; more of them help nobody. */
const MOST_NOTES = 20;

export async function appendNotes(log: string, notes: readonly string[]): Promise<void> {
  if (notes.length === 0) return;
  const shown = notes.slice(0, MOST_NOTES);
  if (notes.length > shown.length) shown.push(`and ${notes.length - shown.length} more`);
  await mkdir(dirname(log), { recursive: true, mode: 0o700 });
  await appendFile(log, shown.map((note) => `[evenkeel] ${note}\n`).join(''), { mode: 0o600 });
}

/** Bytes in the log; 0 when there is none. */
export async function logSize(log: string): Promise<number> {
  return stat(log).then(
    ({ size }) => size,
    () => 0,
  );
}

/** The last lines that were written after `start`, at most 20 and 4 KB, without colours and empty lines at the end. */
export async function logTail(log: string, start: number): Promise<string> {
  const file = await open(log, 'r').catch(() => null);
  if (file === null) return '';
  try {
    const { size } = await file.stat();
    // A log that was rotated meanwhile is shorter than it was.
    const from = Math.max(size < start ? 0 : start, size - TAIL_BYTES);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - from), 0, size - from, from);
    const cut = from > start && from > 0;
    // What was rotated away leaves a hole, which reads as zeros.
    const text = buffer.toString('utf8', 0, bytesRead).replaceAll('\0', '');
    // Of a line that a progress display wrote over, the last state.
    const lines = stripVTControlCharacters(text).trimEnd().split('\n');
    return lines
      .slice(cut && lines.length > 1 ? 1 : 0)
      .slice(-TAIL_LINES)
      .map((line) => line.trimEnd().split('\r').at(-1) ?? '')
      .join('\n');
  } finally {
    await file.close();
  }
}
