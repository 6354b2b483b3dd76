import { readFileSync } from 'node:fs';

/** For what is open besides connections: logs, journals, listening sockets, a file being sent. */
const RESERVE = 100;
const LEAST = 50;

/**
 * How many clients a port may have at once. Each may need a connection to an instance as well; without room for that
 * every instance would look dead, and be put out of turn, because this process has no file left.
 */
export function connectionLimit(): number {
  const files = Number(/^Max open files\s+(\d+)/m.exec(limits())?.[1] ?? Number.NaN);
  return Number.isFinite(files) ? Math.max(LEAST, Math.floor((files - RESERVE) / 2)) : Number.POSITIVE_INFINITY;
}

function limits(): string {
  try {
    return readFileSync('/proc/self/limits', 'utf8');
  } catch {
    return ''; // another system: as Node has it, without a limit
  }
}
