import { readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { isIdentity } from '../platform/is-identity.ts';
import { isAlive, processIdentity, type ProcessIdentity } from '../platform/process/identity.ts';
import { sendSignal } from '../platform/process/table.ts';

/** How long a process that was killed may take to be gone, ms. */
const GONE_MS = 1_500;

/** A process as it says of itself in the lease who it is. Its number means something among those that share `pids` only. */
interface Holder {
  process: ProcessIdentity;
  /** The kernel's name for the namespace of its process numbers. */
  pids: string;
  host: string;
}

export function aboutThisProcess(): string {
  const identity = processIdentity(process.pid);
  if (identity === null) throw new Error('/proc does not show this process');
  return JSON.stringify({ process: identity, pids: pidNamespace(), host: hostname() } satisfies Holder);
}

/** Whether it is a process of this machine that has ended. Of one elsewhere nothing is known. */
export function isDeadHolder(about: string): boolean {
  const holder = holderOf(about);
  return holder !== null && isHere(holder) && !isAlive(holder.process);
}

/**
 * Ends a process of this machine that has let its lease run out and is still there: it hangs, was stopped, or is cut
 * off, and holds the API's socket. What it was about to do would be refused; so that not even what it is in the middle
 * of is done, it goes. Its keeper starts another, which stands by. True: it had to be ended.
 */
export async function endHolder(about: string): Promise<boolean> {
  const holder = holderOf(about);
  if (holder === null || !isHere(holder) || holder.process.pid === process.pid || !isAlive(holder.process))
    return false;
  sendSignal(holder.process.pid, 'SIGKILL');
  for (const deadline = performance.now() + GONE_MS; isAlive(holder.process) && performance.now() < deadline;)
    await sleep(10);
  return true;
}

/** For people: which process on which machine. */
export function holderName(about: string): string {
  const holder = holderOf(about);
  return holder === null ? 'nobody' : `process ${holder.process.pid} on ${holder.host}`;
}

function holderOf(about: string): Holder | null {
  try {
    const value = JSON.parse(about) as Partial<Holder> | null;
    if (value === null || !isIdentity(value.process) || typeof value.pids !== 'string') return null;
    return { process: value.process, pids: value.pids, host: typeof value.host === 'string' ? value.host : 'unknown' };
  } catch {
    return null;
  }
}

const isHere = ({ process: { boot }, pids }: Holder): boolean =>
  boot === processIdentity(process.pid)?.boot && pids === pidNamespace();

function pidNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return 'unknown';
  }
}
