import { createReadStream, createWriteStream } from 'node:fs';
import { open, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { runCommand } from '../../../../platform/process/spawn.ts';
import { isCode } from '../folder.ts';
import { logLayout, logPieces, pieceFile, shiftFile } from './log-layout.ts';
import type { LogLayout } from './log-layout.ts';

export interface RotationLimits {
  /** The live file is rotated when it holds more than this, in bytes. */
  maxBytes: number;
  /** Older output beside it, in multiples of `maxBytes`. */
  keep: number;
}

/**
 * Moves what a log holds out of its live file when that is more than `maxBytes`, and deletes what is too old. Safe to
 * repeat after a crash at any point. Returns the offset of the oldest byte kept, or null when there was nothing to do.
 *
 * Of a flood only the newest `maxBytes * keep` are kept; the disk is given back in any case, even when it is full.
 */
export async function rotateLog(file: string, { maxBytes, keep }: RotationLimits): Promise<number | null> {
  const layout = await logLayout(file);
  if (layout === null || layout.end - layout.base <= maxBytes) return null;
  const cut = await endOfLastLine(file, layout);
  const from = Math.max(layout.base, cut - maxBytes * Math.max(1, keep));
  const holes = await hasHoles(file);
  const to = holes ? cut : layout.end;
  await keepPiece(file, layout, from, to);
  if (!holes) await truncateInstead(file, to);
  else await punch(file, to - layout.shift);
  return prune(file, maxBytes * Math.max(1, keep));
}

/** Whoever reads the pieces shall find whole lines, if they are not monstrous. */
async function endOfLastLine(file: string, { base, shift, end }: LogLayout): Promise<number> {
  const length = Math.min(64 * 1024, end - base);
  const handle = await open(file, 'r');
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, end - shift - length);
    const newline = buffer.subarray(0, bytesRead).lastIndexOf(10);
    return newline === -1 ? end : end - length + newline + 1;
  } finally {
    await handle.close();
  }
}

async function keepPiece(file: string, { shift }: LogLayout, from: number, to: number): Promise<void> {
  const temporary = `${file}.rotating`;
  try {
    await pipeline(
      createReadStream(file, { start: from - shift, end: to - shift - 1, highWaterMark: 1024 * 1024 }),
      createWriteStream(temporary, { mode: 0o600 }),
    );
    await rename(temporary, pieceFile(file, from));
  } catch (error) {
    await rm(temporary, { force: true });
    if (!isCode(error, 'ENOSPC', 'EDQUOT')) throw error;
    // No room for the copy: output is lost, but the disk gets air. An empty piece marks how far.
    await writeFile(pieceFile(file, to), '', { mode: 0o600 });
  }
}

async function punch(file: string, length: number): Promise<boolean> {
  try {
    const { code } = await runCommand(['fallocate', '--punch-hole', '--offset', '0', '--length', String(length), file]);
    return code === 0;
  } catch {
    return false; // there is no fallocate
  }
}

/** Whether the file system under a folder has holes; asked once. */
const holesKnown = new Map<string, boolean>();

async function hasHoles(file: string): Promise<boolean> {
  const known = holesKnown.get(dirname(file));
  if (known !== undefined) return known;
  const probe = `${file}.probe`;
  await writeFile(probe, Buffer.alloc(8192, 1), { mode: 0o600 }).catch(() => {});
  const works = await punch(probe, 4096);
  await rm(probe, { force: true });
  holesKnown.set(dirname(file), works);
  return works;
}

/** Loses what is written between the copy and this: unavoidable without holes, and why they are preferred. */
async function truncateInstead(file: string, to: number): Promise<void> {
  await truncate(file, 0);
  await writeFile(shiftFile(file), String(to), { mode: 0o600 });
}

async function prune(file: string, most: number): Promise<number> {
  const pieces = await logPieces(file);
  let total = pieces.reduce((sum, { start, end }) => sum + end - start, 0);
  let oldest = pieces[0]?.start ?? 0;
  // The newest stays whatever its size: its end says where the live file begins.
  for (const [index, { path, start, end }] of pieces.slice(0, -1).entries()) {
    if (total <= most) break;
    await rm(path, { force: true });
    total -= end - start;
    oldest = pieces[index + 1]?.start ?? end;
  }
  return oldest;
}
