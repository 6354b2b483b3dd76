import { readFileSync } from 'node:fs';
import { runCommand } from './spawn.ts';

/**
 * No memory of a process that crashes shall lie on a disk: it may hold secrets. Children inherit it. False when it could
 * not be done; Node itself cannot set limits, util-linux's prlimit can.
 */
export async function refuseCoreDumps(pid: number): Promise<boolean> {
  try {
    const { code } = await runCommand(['prlimit', '--pid', String(pid), '--core=0:0'], { timeout: 5_000 });
    return code === 0;
  } catch {
    return false;
  }
}

/** Whether a crash of a process would leave its memory in a file; null when the kernel does not say. */
export function dumpsCore(pid: number): boolean | null {
  try {
    const [, soft] = /^Max core file size\s+(\S+)/m.exec(readFileSync(`/proc/${pid}/limits`, 'latin1')) ?? [];
    return soft === undefined ? null : soft !== '0';
  } catch {
    return null;
  }
}
