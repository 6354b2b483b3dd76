import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { rotateWhenLarge } from '../platform/log.ts';
import type { EvenkeelPaths } from '../platform/paths.ts';

const MAX_BYTES = 1 << 20;

export type Say = (message: string) => void;

/** The keeper's log: a line for each event, in `logs/keeper.log`, and on standard error too when in the foreground. */
export function keeperLog(paths: Pick<EvenkeelPaths, 'logs'>, foreground: boolean): Say {
  const file = join(paths.logs, 'keeper.log');
  return (message) => {
    const line = `${new Date().toISOString()} keeper[${process.pid}] ${message}\n`;
    try {
      rotateWhenLarge(file, MAX_BYTES);
      appendFileSync(file, line, { mode: 0o600 });
      if (foreground) process.stderr.write(line);
    } catch {
      // A full disk must not be what ends the keeper.
    }
  };
}
