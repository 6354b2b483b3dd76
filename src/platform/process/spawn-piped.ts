import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';

export interface PipedProcess {
  /** Also the number of its process group and session. */
  pid: number;
  stdout: Readable;
  stderr: Readable;
  /** Resolves when the process itself has ended; others of its group may live on. */
  exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

/**
 * Starts a program in a session of its own, so that a Ctrl-C in this terminal does not reach it, with its outputs to
 * read. Its standard input stays open and empty: some programs leave when it ends, which it does with this process.
 * `env` is its whole environment. Rejects with the system's error (`code`).
 */
export function spawnPiped(
  argv: readonly string[],
  { cwd, env }: { cwd: string; env: Record<string, string> },
): Promise<PipedProcess> {
  const [command = '', ...args] = argv;
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
    const exited: PipedProcess['exited'] = new Promise((ended) => {
      child.once('exit', (code, signal) => ended({ code, signal }));
    });
    child.once('error', reject);
    child.stdin.on('error', () => {}); // nothing is written to it
    child.once('spawn', () => {
      void exited.then(() => child.stdin.destroy());
      resolve({ pid: child.pid ?? 0, stdout: child.stdout, stderr: child.stderr, exited });
    });
  });
}
