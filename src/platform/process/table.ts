import { readdirSync, readFileSync } from 'node:fs';
import { isDead, processStat } from './identity.ts';
import type { ProcessStat } from './identity.ts';

/** All living processes of the machine at one moment. */
export function livingProcesses(): ProcessStat[] {
  const living: ProcessStat[] = [];
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const stat = processStat(Number(entry));
    if (stat !== null && !isDead(stat)) living.push(stat);
  }
  return living;
}

/** Whether a process was started with this `NAME=value` in its environment; false for other users' processes. */
export function hasInEnvironment(pid: number, entry: string): boolean {
  try {
    return `\0${readFileSync(`/proc/${pid}/environ`, 'utf8')}`.includes(`\0${entry}\0`);
  } catch {
    return false;
  }
}

/** What a process was started with under this name; null when nothing, or when it is another user's. */
export function fromEnvironment(pid: number, name: string): string | null {
  try {
    const entries = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
    return entries.find((entry) => entry.startsWith(`${name}=`))?.slice(name.length + 1) ?? null;
  } catch {
    return null;
  }
}

const PAGE = 4096;

/**
 * Resident memory of several processes in bytes. What they share (program text, mapped libraries) counts once, by the
 * largest: close to the proportional set size, which costs a hundred times as much to ask for.
 */
export function residentMemory(pids: Iterable<number>): number {
  let own = 0;
  let shared = 0;
  for (const pid of pids) {
    try {
      const [, resident, common] = readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ').map(Number);
      own += (resident ?? 0) - (common ?? 0);
      shared = Math.max(shared, common ?? 0);
    } catch {
      // ended since it was listed
    }
  }
  return (own + shared) * PAGE;
}

/** Milliseconds of CPU time in the clock ticks of `/proc`: Linux shows 100 a second on every architecture. */
export function ticksToMs(ticks: number): number {
  return ticks * 10;
}

/** Sends a signal; says whether there was a process to take it. */
export function sendSignal(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch {
    return false; // ended meanwhile
  }
}
