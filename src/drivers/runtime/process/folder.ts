import { createHash, randomUUID } from 'node:crypto';
import {
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { chmod, readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import type { ProcessIdentity } from '../../../platform/process/identity.ts';

/** A folder that holds everything about one instance or job; its files are listed at the top of shim.sh. */
export const MARK = 'EVENKEEL_FOLDER';

/** The folder of an id below `parent`; ids may hold any character, folder names may not. */
export function folderOf(parent: string, id: string): string {
  const safe = id.replaceAll(/[^A-Za-z0-9@._-]/g, (character) => `%${character.codePointAt(0)?.toString(16)}`);
  const name =
    safe.length > 180 || safe.startsWith('.') ? `${safe.slice(0, 100).replace(/^\.+/, '')}~${digest(id)}` : safe;
  return join(parent, name);
}

export function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}

/** Names the control group of what runs in a folder: readable, and one of a kind on the machine. */
export function cgroupName(folder: string): string {
  return `evenkeel-${basename(folder).slice(0, 80)}-${digest(folder)}`;
}

/** Names of the files in a folder; empty when there is no such folder. */
export function filesIn(folder: string): Set<string> {
  try {
    return new Set(readdirSync(folder));
  } catch {
    return new Set();
  }
}

/** What the shim, or evenkeel in its place, recorded about the end. */
const endSchema = z.union([
  z.object({ code: z.number().int(), signalled: z.boolean(), stopped: z.boolean(), oom: z.number().int() }),
  z.object({ startFailed: z.string() }),
  z.object({ unknown: z.string() }),
]);
export type EndRecord = z.infer<typeof endSchema>;

/** Null when there is none. A record that cannot be read (a power cut) is an unknown end, never a success. */
export function readEnd(folder: string): { record: EndRecord; at: number } | null {
  const file = join(folder, 'end');
  const text = readIfThere(file);
  if (text === null) return null;
  const at = timeOf(file) ?? Date.now();
  try {
    const parsed = endSchema.safeParse(JSON.parse(text));
    if (parsed.success) return { record: parsed.data, at };
  } catch {
    // not JSON
  }
  return { record: { unknown: 'the record of its end is damaged' }, at };
}

/** Records an end in the place of a shim that cannot any more. The first record stays. */
export function recordEnd(folder: string, record: EndRecord): void {
  const temporary = join(folder, `end.${randomUUID().slice(0, 8)}.tmp`);
  try {
    writeFileSync(temporary, JSON.stringify(record), { mode: 0o600 });
    linkSync(temporary, join(folder, 'end'));
  } catch (error) {
    if (!isCode(error, 'EEXIST')) throw error;
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** Who claimed the folder: a shim by its identity, evenkeel itself (`nobody`: it never ran), or not known yet. */
export interface Claim {
  at: number;
  by: ProcessIdentity | 'nobody' | 'unwritten';
  /** Which of several starts it was that won, or null when none did. */
  launch: string | null;
}

export function readClaim(folder: string): Claim | null {
  const file = join(folder, 'claim');
  const text = readIfThere(file);
  if (text === null) return null;
  const at = timeOf(file) ?? Date.now();
  if (text === 'nobody\n') return { at, by: 'nobody', launch: null };
  const [, pid, startTime, boot, name] = /^(\d+) (\d+) ([0-9a-f-]+) (\w+)\n$/.exec(text) ?? [];
  if (pid === undefined || startTime === undefined || boot === undefined) return { at, by: 'unwritten', launch: null };
  return { at, by: { pid: Number(pid), startTime, boot }, launch: name ?? null };
}

/** Takes the claim so that nothing will ever run in this folder; false when somebody else has it. */
export function claimForNobody(folder: string): boolean {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(join(folder, 'claim'), 'nobody\n', { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false;
    throw error;
  }
}

export interface StopRecord {
  graceMs: number;
  reason: string;
  at: number;
}

/** Bytes that the shim has set aside as `stop.tmp` for the day when the disk is full. */
const STOP_ROOM = 128;

/** The first line is for the shim: hundredths of a second. */
export function writeStop(folder: string, stop: { graceMs: number; reason: string }): void {
  const hundredths = Math.max(0, Math.round(stop.graceMs / 10));
  const content = `${hundredths}\n${stop.reason.replaceAll('\n', ' ')}\n`;
  const file = join(folder, 'stop');
  try {
    replaceFile(file, content);
  } catch (error) {
    if (!isCode(error, 'ENOSPC', 'EDQUOT')) throw error;
    const reserve = join(folder, 'stop.tmp');
    const room = Buffer.alloc(STOP_ROOM, ' ');
    room.write(content, 0, STOP_ROOM - 1);
    room.write('\n', STOP_ROOM - 1);
    // Over what is there, without truncating it: that takes no new block.
    writeFileSync(existsSync(file) ? file : reserve, room, { flag: 'r+' });
    if (existsSync(reserve)) renameSync(reserve, file);
  }
}

export function readStop(folder: string): StopRecord | null {
  const file = join(folder, 'stop');
  const text = readIfThere(file);
  if (text === null) return null;
  const [grace = '0', reason = ''] = text.split('\n');
  return { graceMs: Number(grace) * 10, reason: reason.trim(), at: timeOf(file) ?? Date.now() };
}

/** Atomic for readers; not flushed to the disk, since after a reboot nothing of this matters. */
export function replaceFile(file: string, content: string): void {
  const temporary = `${file}.${randomUUID().slice(0, 8)}.tmp`;
  try {
    writeFileSync(temporary, content, { mode: 0o600 });
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

export function readIfThere(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (isCode(error, 'ENOENT')) return null;
    throw error;
  }
}

/** When the file was last written, in ms; null when it is not there. */
export function timeOf(file: string): number | null {
  const time = statSync(file, { throwIfNoEntry: false })?.mtimeMs;
  return time === undefined ? null : Math.round(time);
}

export function isCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}

/** Gone for every observer at one stroke, however long the deletion takes; sweeps up after removals that a crash cut short. */
export async function discardFolder(folder: string): Promise<void> {
  const parent = dirname(folder);
  try {
    renameSync(folder, join(parent, `.removed-${randomUUID()}`));
  } catch (error) {
    if (!isCode(error, 'ENOENT')) throw error;
  }
  for (const name of filesIn(parent)) {
    if (name.startsWith('.removed-')) await removeTree(join(parent, name));
  }
}

/** Also with folders in it that may not be written, as some artifacts have. */
async function removeTree(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch (error) {
    if (!isCode(error, 'EACCES', 'EPERM')) throw error;
    for (const entry of await readdir(path, { recursive: true, withFileTypes: true })) {
      if (entry.isDirectory()) await chmod(join(entry.parentPath, entry.name), 0o700);
    }
    await rm(path, { recursive: true, force: true });
  }
}
