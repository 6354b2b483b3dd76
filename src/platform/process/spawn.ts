import { spawn } from 'node:child_process';
import type { StdioOptions } from 'node:child_process';

export interface DetachedOptions {
  cwd: string;
  /** The whole environment; nothing is inherited. */
  env: Record<string, string>;
  /** An open file descriptor that takes its standard output and error, or null to discard them. */
  output: number | null;
}

/**
 * Starts a program in a session and process group of its own, so that neither a signal to this process's group nor
 * this process's end reaches it. Resolves with its pid once it runs; rejects with the system's error (`code`).
 */
export function spawnDetached(argv: readonly string[], options: DetachedOptions): Promise<number> {
  const [command = '', ...args] = argv;
  const output = options.output ?? 'ignore';
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: options.env,
      detached: true,
      stdio: ['ignore', output, output],
    });
    child.once('error', reject);
    child.once('spawn', () => {
      child.unref();
      resolve(child.pid ?? 0);
    });
  });
}

export interface CommandOptions {
  cwd?: string;
  /** Replaces the environment of this process. */
  env?: Record<string, string>;
  /** Milliseconds until it is killed; then `signal` is SIGKILL and `timedOut` is true. Default: 60 s. */
  timeout?: number;
  /** Given to its standard input. */
  input?: string | Uint8Array;
  /** Bytes kept of each output; the rest is read and dropped. Default: 10 MB. */
  maxOutput?: number;
  /** Ends it early, by SIGKILL. */
  abort?: AbortSignal;
}

export interface CommandResult {
  /** Null when a signal ended it. */
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
  timedOut: boolean;
}

/** How long the outputs of a command are read after its end, ms, when somebody else still has them. */
const LINGER = 500;

/**
 * Runs a program to its end and collects what it says; an exit code other than 0 is no error. Rejects only when it
 * could not be started (`code` of the error is ENOENT, EACCES, …). It is killed with its whole group on timeout.
 */
export function runCommand(argv: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const [command = '', ...args] = argv;
  const stdio: StdioOptions = [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'];
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      env: options.env ?? process.env,
      detached: true, // a group of its own, so that a timeout ends its children too
      stdio,
    });
    let timedOut = false;
    const kill = () => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      } catch {
        // ended by itself at this moment
      }
    };
    const timer = setTimeout(() => {
      timedOut = true;
      kill();
    }, options.timeout ?? 60_000);
    options.abort?.addEventListener('abort', kill, { once: true });
    if (options.abort?.aborted === true) kill();
    const settled = () => {
      clearTimeout(timer);
      options.abort?.removeEventListener('abort', kill);
    };

    const stdout = collect(child.stdout, options.maxOutput);
    const stderr = collect(child.stderr, options.maxOutput);
    child.stdin?.on('error', () => {}); // it may end without reading all of its input
    child.stdin?.end(options.input);
    child.once('error', (error) => {
      settled();
      reject(error);
    });
    let lingering: NodeJS.Timeout | undefined;
    child.once('exit', () => {
      // What left its group and lives on keeps the outputs open, perhaps for ever.
      lingering = setTimeout(() => {
        child.stdout?.destroy();
        child.stderr?.destroy();
      }, LINGER);
    });
    child.once('close', (code, signal) => {
      clearTimeout(lingering);
      settled();
      resolve({ code, signal, stdout: stdout(), stderr: stderr(), timedOut });
    });
  });
}

function collect(stream: NodeJS.ReadableStream | null, max = 10 * 1024 * 1024): () => string {
  const chunks: Buffer[] = [];
  let size = 0;
  stream?.on('data', (chunk: Buffer) => {
    if (size < max) chunks.push(chunk.subarray(0, max - size));
    size += chunk.length;
  });
  return () => Buffer.concat(chunks).toString('utf8');
}
