import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { CliResult } from '../evenkeel-home.ts';
import { waitFor } from '../wait.ts';

export const CLI = fileURLToPath(new URL('../../../bin/evenkeel', import.meta.url));

/** A command that is under way, with its input open. */
export interface Running {
  child: ChildProcessWithoutNullStreams;
  stdout(): string;
  stderr(): string;
  /** Waits until it has said this. */
  says(text: string | RegExp): Promise<void>;
  interrupt(): void;
  ended: Promise<CliResult>;
}

export function begin(env: NodeJS.ProcessEnv, args: string[], cwd: string): Running {
  return beginProgram(CLI, args, { env, cwd });
}

export function beginProgram(
  program: string,
  args: string[],
  { env, cwd }: { env: NodeJS.ProcessEnv; cwd: string },
): Running {
  const started = performance.now();
  const child = spawn(program, args, { cwd, env, stdio: ['pipe', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => (stdout += String(chunk)));
  child.stderr.on('data', (chunk) => (stderr += String(chunk)));
  const ended = once(child, 'close').then(([code]) => ({
    code: code as number | null,
    stdout,
    stderr,
    ms: performance.now() - started,
  }));
  return {
    child,
    stdout: () => stdout,
    stderr: () => stderr,
    ended,
    interrupt: () => void child.kill('SIGINT'),
    async says(text) {
      const said = (): boolean => {
        const all = stdout + stderr;
        return typeof text === 'string' ? all.includes(text) : text.test(all);
      };
      await waitFor(said, { what: `the command to say ${String(text)}`, timeout: 30_000 }).catch((error: unknown) => {
        throw new Error(`${String(error)}; it said: ${stdout.slice(-2000)}${stderr.slice(-2000)}`, { cause: error });
      });
    },
  };
}

export function run(env: NodeJS.ProcessEnv, args: string[], cwd: string): Promise<CliResult> {
  const running = begin(env, args, cwd);
  running.child.stdin.end();
  return running.ended;
}
