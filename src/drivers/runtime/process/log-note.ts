import { appendFileSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

/** Says something in the log of an instance or job, where whoever wonders will look. Never fails. */
export function noteInLog(log: string, text: string): void {
  try {
    mkdirSync(dirname(log), { recursive: true, mode: 0o700 });
    appendFileSync(log, `evenkeel: ${text}\n`, { mode: 0o600 });
  } catch {
    // A log that cannot be written has its own trouble; what matters is in the observation too.
  }
}
