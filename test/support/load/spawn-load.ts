import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { LoadOptions } from './options.ts';
import type { LoadReport, Second } from './report.ts';

export interface Progress {
  readonly at: number;
  readonly requests: number;
  readonly failed: number;
  readonly badRelease: Readonly<Record<string, number>>;
  /** The last whole second. */
  readonly last?: Second;
}

export interface SpawnedLoad {
  readonly pid: number;
  /** The latest second's news; undefined in the first second. */
  progress(): Progress | undefined;
  /** Ends the load and returns its report. Throws if the process died instead of reporting. */
  stop(): Promise<LoadReport>;
}

/**
 * Runs `startLoad(options)` in a process of its own, so that neither side takes the other's time. Returns when requests
 * flow. It ends with its parent, even one that is killed.
 */
export async function spawnLoad(options: LoadOptions, { seconds = 600 } = {}): Promise<SpawnedLoad> {
  const { jwtSecret, ...rest } = options;
  const args = [fileURLToPath(new URL('./main.ts', import.meta.url)), '--json', '--progress', '--stop-with-stdin'];
  const child = spawn(process.execPath, [...args, '--seconds', String(seconds), '--options', JSON.stringify(rest)], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, ...(jwtSecret === undefined ? {} : { LOAD_JWT_SECRET: jwtSecret }) },
  });
  const { pid } = child;
  if (pid === undefined) throw (await once(child, 'error'))[0];

  let latest: Progress | undefined;
  let report: LoadReport | undefined;
  let markStarted: () => void = () => undefined;
  const started = new Promise<void>((resolve) => (markStarted = resolve));
  createInterface({ input: child.stdout }).on('line', (line) => {
    const event = JSON.parse(line) as { type: string; report?: LoadReport } & Progress;
    if (event.type === 'started') markStarted();
    else if (event.type === 'report') report = event.report;
    else latest = event;
  });
  const closed = once(child, 'close') as Promise<[number | null, string | null]>;

  const died = async (): Promise<never> => {
    const [code, signal] = await closed;
    throw new Error(`the load ended too early: ${signal ?? `exit code ${code}`}`);
  };
  await Promise.race([started, died()]);

  return {
    pid,
    progress: () => latest,
    async stop() {
      child.stdin.end();
      const [code, signal] = await closed;
      if (!report) throw new Error(`the load ended without a report: ${signal ?? `exit code ${code}`}`);
      return report;
    },
  };
}
