import { readdirSync, readFileSync } from 'node:fs';

/**
 * Ends every process that was started in this folder (its environment or its arguments name it), by pid. For what is
 * left after an orderly stop, or instead of one.
 */
export function endProcessesOf(folder: string): number {
  let ended = 0;
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry);
    if (!(pid > 0) || pid === process.pid) continue;
    if (![read(pid, 'environ'), read(pid, 'cmdline')].some((text) => text.includes(folder))) continue;
    try {
      process.kill(pid, 'SIGKILL');
      ended++;
    } catch {
      // ended by itself meanwhile
    }
  }
  return ended;
}

function read(pid: number, file: 'environ' | 'cmdline'): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch {
    return ''; // gone, or somebody else's
  }
}
