import { readFileSync } from 'node:fs';

/** Names one process for all time: a pid alone is given out again, often within minutes. */
export interface ProcessIdentity {
  pid: number;
  /** In clock ticks since the boot, as `/proc/PID/stat` says it. */
  startTime: string;
  /** Of `/proc/sys/kernel/random/boot_id`; another after each boot. */
  boot: string;
}

/** What `/proc/PID/stat` says about a process, as far as it is used here. */
export interface ProcessStat {
  pid: number;
  /** One letter; `Z` and `X` are dead. */
  state: string;
  parent: number;
  group: number;
  session: number;
  /** User and system time of itself and of the children it has waited for, in clock ticks (100 a second). */
  ticks: number;
  startTime: string;
}

let boot: string | undefined;

/** The id of the running boot; cannot change within a process. */
export function bootId(): string {
  boot ??= readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  return boot;
}

/** Null when there is no such process. A zombie is told by its state. */
export function processStat(pid: number): ProcessStat | null {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return null;
  }
  // The second field is the program's name in parentheses, which may itself hold spaces and parentheses.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const at = (index: number) => Number(fields[index]);
  const startTime = fields[19];
  if (startTime === undefined) return null;
  return {
    pid,
    state: fields[0] ?? '?',
    parent: at(1),
    group: at(2),
    session: at(3),
    ticks: at(11) + at(12) + at(13) + at(14),
    startTime,
  };
}

/** A zombie has ended: only its parent has not yet taken note. */
export function isDead(stat: ProcessStat | null): boolean {
  return stat === null || stat.state === 'Z' || stat.state === 'X';
}

/** The identity of a living process, or null. */
export function processIdentity(pid: number): ProcessIdentity | null {
  const stat = processStat(pid);
  if (stat === null || isDead(stat)) return null;
  return { pid, startTime: stat.startTime, boot: bootId() };
}

/** Whether this very process lives: not another one with its number, not from before a reboot, not a zombie. */
export function isAlive(identity: ProcessIdentity): boolean {
  if (identity.boot !== bootId()) return false;
  const stat = processStat(identity.pid);
  return stat !== null && !isDead(stat) && stat.startTime === identity.startTime;
}
