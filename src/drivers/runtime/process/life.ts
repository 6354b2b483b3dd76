import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { cgroupMembers } from '../../../platform/process/cgroup.ts';
import { bootId, isAlive, isDead, processStat } from '../../../platform/process/identity.ts';
import type { ProcessIdentity, ProcessStat } from '../../../platform/process/identity.ts';
import { hasInEnvironment, livingProcesses, sendSignal } from '../../../platform/process/table.ts';
import {
  claimForNobody,
  filesIn,
  MARK,
  readClaim,
  readEnd,
  readIfThere,
  readStop,
  recordEnd,
  writeStop,
} from './folder.ts';
import type { EndRecord } from './folder.ts';

/** Where an instance or job stands, as its folder and `/proc` show it. */
export type Life =
  /** Nothing ever ran, and nothing keeps it from running. */
  | { state: 'absent' }
  | {
      state: 'living';
      shim: ProcessIdentity;
      /** Of the command itself; null for the moment until it exists. */
      pid: number | null;
      startedAt: number;
      stopRequested: boolean;
      /** The command has ended; what it left behind is being ended. */
      ending: boolean;
    }
  /** Its shim died without a record while others of it lived; they were killed and are about to go. */
  | { state: 'orphaned'; startedAt: number; stopRequested: boolean }
  | { state: 'ended'; startedAt: number; endedAt: number; end: EndRecord; stopRequested: boolean };

/** All processes of the machine, listed when first asked for and then kept: one list serves a whole round of looks. */
export type ProcessList = () => ProcessStat[];

export function processList(): ProcessList {
  let list: ProcessStat[] | undefined;
  return () => (list ??= livingProcesses());
}

/** A stop that its shim has not taken up within this time (ms) is signalled again. */
const STOP_UNHEARD = 500;

/**
 * Looks at a folder, and does what only a look can: kills what a dead shim left behind, records an end that nobody
 * recorded, and signals a stop again that was written down but not heard.
 */
export function look(folder: string, cgroups: readonly string[], processes: ProcessList): Life {
  const files = filesIn(folder);
  const stopRequested = files.has('stop');
  const claim = readClaim(folder);
  const ended = (): Life | null => {
    const end = readEnd(folder);
    if (end === null) return null;
    return { state: 'ended', startedAt: claim?.at ?? end.at, endedAt: end.at, end: end.record, stopRequested };
  };
  if (files.has('end')) return ended() ?? { state: 'absent' };
  if (claim === null) return { state: 'absent' };

  if (claim.by !== 'nobody' && claim.by !== 'unwritten') {
    if (isAlive(claim.by)) {
      if (stopRequested && !files.has('stopping')) signalAgain(folder, claim.by);
      const pid = Number(readIfThere(join(folder, 'main')) ?? Number.NaN);
      const stat = Number.isInteger(pid) && pid > 0 ? processStat(pid) : null;
      const known = stat !== null && !isDead(stat) && stat.parent === claim.by.pid;
      return {
        state: 'living',
        shim: claim.by,
        pid: known ? pid : null,
        startedAt: claim.at,
        stopRequested,
        ending: files.has('ending'),
      };
    }
  }
  // The record is written before the shim goes: with the shim gone, a second look is the last word.
  const late = ended();
  if (late !== null) return late;
  const left = survivors(folder, claim.by, cgroups, processes);
  // Its shim has made the claim and not yet written it: that takes a moment, and its next look finds it living.
  if (left.length > 0 && claim.by === 'unwritten') return { state: 'absent' };
  if (left.length > 0) {
    for (const pid of left) sendSignal(pid, 'SIGKILL');
    return { state: 'orphaned', startedAt: claim.at, stopRequested };
  }
  tryRecordEnd(folder, unrecordedEnd(claim.by));
  return (
    ended() ?? { state: 'ended', startedAt: claim.at, endedAt: Date.now(), end: unrecordedEnd(claim.by), stopRequested }
  );
}

function unrecordedEnd(by: ProcessIdentity | 'nobody' | 'unwritten'): EndRecord {
  if (by === 'nobody' || by === 'unwritten') return { startFailed: 'evenkeel was ended while it was starting this' };
  if (by.boot !== bootId()) return { unknown: 'rebooted' };
  return { unknown: 'it was killed together with the process that records its end' };
}

function tryRecordEnd(folder: string, record: EndRecord): void {
  try {
    recordEnd(folder, record);
  } catch {
    // A full disk: the next look finds the same.
  }
}

function signalAgain(folder: string, shim: ProcessIdentity): void {
  const stop = readStop(folder);
  if (stop !== null && Date.now() - stop.at > STOP_UNHEARD) sendSignal(shim.pid, 'SIGTERM');
}

/** Living processes that belong to the folder: of its control group, its process group or session, or with its mark. */
function survivors(
  folder: string,
  by: ProcessIdentity | 'nobody' | 'unwritten',
  cgroups: readonly string[],
  processes: ProcessList,
): number[] {
  if (typeof by === 'object' && by.boot !== bootId()) return [];
  const found = new Set(cgroupMembers(cgroups).filter((pid) => !isDead(processStat(pid))));
  // The kernel gives the number of a group out again only when the group is empty: if it names another process now,
  // whatever has that group or session is none of ours.
  const leader = typeof by === 'object' ? by.pid : null;
  const group = leader !== null && isDead(processStat(leader)) ? leader : null;
  for (const { pid, group: itsGroup, session } of processes()) {
    const grouped = group !== null && (itsGroup === group || session === group);
    if (grouped || hasInEnvironment(pid, `${MARK}=${folder}`)) found.add(pid);
  }
  return [...found].filter((pid) => !isDead(processStat(pid)));
}

/**
 * Asks what runs in the folder to stop; the shim does the rest, also when evenkeel dies now. What never ran never will:
 * its claim is taken. Idempotent; a later call may shorten the grace.
 */
export function halt(folder: string, cgroups: readonly string[], stop: { graceMs: number; reason: string }): void {
  if (!existsSync(folder)) return;
  const life = look(folder, cgroups, processList());
  if (life.state === 'ended') return;
  if (life.state === 'absent') {
    if (claimForNobody(folder)) {
      writeStop(folder, stop);
      recordEnd(folder, { startFailed: 'it was asked to stop before it started' });
      return;
    }
    // It was claimed since the look. A shim that is about to write its name is found by the next look, or call.
  }
  writeStop(folder, stop);
  const claim = readClaim(folder);
  if (claim !== null && typeof claim.by === 'object' && isAlive(claim.by)) sendSignal(claim.by.pid, 'SIGTERM');
}
