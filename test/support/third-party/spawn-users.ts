import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';
import type { LoadReport } from '../load/report.ts';
import type { Users, UsersOptions } from './users.ts';

/**
 * Runs users in a process of their own, so that they and the servers do not take each other's time. Returns when
 * requests flow; the process ends with the test at the latest.
 */
export async function spawnUsers<Extra extends object>(script: string, options: UsersOptions): Promise<Users<Extra>> {
  const child = spawn(process.execPath, [script, JSON.stringify(options)], { stdio: ['pipe', 'pipe', 'inherit'] });
  const closed = once(child, 'close') as Promise<[number | null, string | null]>;
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await closed;
  });
  let report: (LoadReport & Extra) | null = null;
  const started = Promise.withResolvers<void>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    const event = JSON.parse(line) as { type: string; report?: LoadReport & Extra };
    if (event.type === 'started') started.resolve();
    if (event.report !== undefined) report = event.report;
  });
  const died = closed.then(([code, signal]) => {
    throw new Error(`the users left too early: ${signal ?? `exit code ${code}`}`);
  });
  died.catch(() => undefined);
  await Promise.race([started.promise, died]);
  return {
    async stop() {
      child.stdin.end();
      await closed;
      if (report === null) throw new Error('the users left without a report');
      return report;
    },
  };
}
