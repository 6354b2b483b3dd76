import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/**
 * A log is one stream of bytes, numbered from its very first: offsets never start over. Its end is the live file, which
 * the instance appends to for as long as it lives. What rotation took away from the front lies beside it in pieces
 * named by the offset they start at (`api.log.000000010485760`); between pieces there may be gaps, where output was
 * dropped because there was too much of it.
 *
 * The front of the live file is a hole: it has its full length, but the blocks are given back to the disk. Unlike
 * truncation this loses nothing that is written meanwhile. Where the file system has no holes the file is truncated
 * after all, and `<log>.shift` says which offset its first byte has.
 */
export interface LogLayout {
  pieces: LogPiece[];
  /** Offset from which on the live file has the bytes. */
  base: number;
  /** Offset of the live file's first byte. */
  shift: number;
  /** Offset behind the last byte. */
  end: number;
}

export interface LogPiece {
  path: string;
  start: number;
  end: number;
}

/** Null when there is no such log. */
export async function logLayout(file: string): Promise<LogLayout | null> {
  const live = await stat(file).catch(() => null);
  if (live === null) return null;
  const pieces = await logPieces(file);
  const base = pieces.at(-1)?.end ?? 0;
  const shift = Number((await readFile(shiftFile(file), 'utf8').catch(() => '')) || 0);
  // Less than was taken away can only mean that it was truncated, and that a crash kept the shift from being written.
  const truncated = live.size + shift < base;
  return { pieces, base, shift: truncated ? base : shift, end: live.size + (truncated ? base : shift) };
}

/** In order. */
export async function logPieces(file: string): Promise<LogPiece[]> {
  const folder = dirname(file);
  const prefix = `${basename(file)}.`;
  const names = (await readdir(folder)).filter(
    (name) => name.startsWith(prefix) && /^\d{15}$/.test(name.slice(prefix.length)),
  );
  const pieces = await Promise.all(
    names.map(async (name) => {
      const path = join(folder, name);
      const start = Number(name.slice(prefix.length));
      const size = (await stat(path).catch(() => null))?.size;
      return size === undefined ? null : { path, start, end: start + size };
    }),
  );
  return pieces.filter((piece) => piece !== null).toSorted((a, b) => a.start - b.start);
}

export function pieceFile(file: string, start: number): string {
  return `${file}.${String(start).padStart(15, '0')}`;
}

export const shiftFile = (file: string): string => `${file}.shift`;
