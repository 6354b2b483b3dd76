import type { Transport } from './client.ts';

export type ExitCode = 0 | 1 | 2 | 3 | 130;

/** Where text goes. `process.stdout` is one. */
export interface OutputStream {
  write(text: string): unknown;
  isTTY?: boolean;
  columns?: number;
  rows?: number;
}

/** Where answers and secrets come from. `process.stdin` is one. */
export interface InputStream extends AsyncIterable<unknown> {
  isTTY?: boolean;
  setRawMode?(raw: boolean): unknown;
}

export interface SystemdUnit {
  /** Where it belongs, such as `/etc/systemd/system/evenkeel.service`. */
  path: string;
  text: string;
  /** The commands that make systemd know it, in order. */
  commands: string[];
}

/** What the CLI needs from the world; `src/app/cli-deps.ts` makes the real one. */
export interface CliDeps {
  version: string;
  env: Readonly<Record<string, string | undefined>>;
  cwd: string;
  /** Who asks, for the story of a rollout. */
  username: string;
  stdin: InputStream;
  stdout: OutputStream;
  stderr: OutputStream;
  /** Wall time, ms since 1970. */
  now(): number;
  /** The controller's API. Throws EvenkeelError `server-not-running` when there is none. */
  connect(): Promise<Transport>;
  /** Starts keeper and controller unless they run, and waits until the API answers. */
  ensureServer(signal: AbortSignal): Promise<'started' | 'running'>;
  /** Runs a keeper in the foreground until it is stopped; Ctrl-C and SIGTERM stop it. */
  runServer(): Promise<ExitCode>;
  /** What systemd should be told to run the keeper as this user. */
  systemdUnit(): Promise<SystemdUnit>;
  /** What is wrong, or soon will be, with these certificates for these hosts; in words, none when all is well. */
  certificateConcerns(pairs: readonly { cert: string; key: string }[], hosts: readonly string[]): Promise<string[]>;
  /** Calls back for every Ctrl-C or SIGTERM from now on; returns how to stop that. */
  onInterrupt(callback: () => void): () => void;
  /** Asks a process of this user to end. Throws when there is none, or when it is somebody else's. */
  endProcess(pid: number): void;
  /** Ends the process at once. */
  exit(code: ExitCode): void;
}
