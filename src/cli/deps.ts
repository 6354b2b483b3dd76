import type { Finding } from '../api/contract/doctor.ts';
import type { LoadResult } from '../config/load-project.ts';
import type { Transport } from '../api/contract/client.ts';
import type { CloudDesk, CloudRequest } from './cloud/desk.ts';

type Project = Extract<LoadResult, { ok: true }>['project'];

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

/** What happens while services run in the foreground; each has a sentence for people, or is a line of their output. */
export interface DevEvent {
  /** Such as `ready`, `ended`, and `line` for what a program wrote. */
  type: string;
  /** Null when it is about all. */
  service: string | null;
  text: string;
  stream?: 'stdout' | 'stderr';
  url?: string;
}

export interface DevRequest {
  project: Project;
  /** The `dev` command of each service that has one. */
  dev: ReadonlyMap<string, string>;
  /** Names; empty: all. */
  services: readonly string[];
  /** The port of the one address; null: that of the environment. */
  port: number | null;
  color: boolean;
  signal: AbortSignal;
  /** Given what ends everything this instant; returns how to forget that. */
  onQuit(stop: () => void): () => void;
  onEvent(event: DevEvent): void;
}

export interface EmulatorRequest {
  /** 0: any free one. */
  port: number;
  /** Null: a new one. */
  token: string | null;
  /** Where it keeps what there is; null: in memory. */
  folder: string | null;
  /** Address of a Postgres server in which databases are really made, without a password; null: that of the environment. */
  postgres: string | null;
  signal: AbortSignal;
  onListening(place: { url: string; token: string }): void;
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
  /** Runs services in the foreground until `signal` fires, and resolves when nothing of them is left. */
  runDev(request: DevRequest): Promise<void>;
  /** What systemd should be told to run the keeper as this user. */
  systemdUnit(): Promise<SystemdUnit>;
  /** Looks at the machine, the home, the server and, when there is one, what the project needs. Changes nothing. */
  examine(project: Project | null): Promise<Finding[]>;
  /** What is wrong, or soon will be, with these certificates for these hosts; in words, none when all is well. */
  certificateConcerns(pairs: readonly { cert: string; key: string }[], hosts: readonly string[]): Promise<string[]>;
  /** What is in the cloud for an environment. Throws `no-cloud` when the file says nothing of it. */
  openCloud(request: CloudRequest): Promise<CloudDesk>;
  /** Puts addresses of services into an environment file, by their variables; answers those that changed. */
  writeUrls(file: string, urls: Readonly<Record<string, string>>): Promise<string[]>;
  /** These environments as Terraform, still to be written. */
  exportTerraform(request: { projects: readonly Project[]; emulate: boolean; signal: AbortSignal }): Promise<{
    notes: string[];
    /** `agree` is asked before anything that differs is replaced, and throws to leave it. Relative to the folder. */
    write(
      folder: string,
      agree: (paths: string[]) => Promise<void>,
    ): Promise<{ written: string[]; replaced: string[] }>;
  }>;
  /** Stands in for Google Cloud until `signal` fires. */
  runEmulator(request: EmulatorRequest): Promise<void>;
  /** A server that is started from now on asks the emulator; where that listens. Throws `server-elsewhere`. */
  useEmulator(signal: AbortSignal): Promise<string>;
  /** Ends the one that `--emulate` started; false when none runs. `forget`: what was made in it is gone, too. */
  stopEmulator(options: { forget: boolean }): Promise<boolean>;
  /** Calls back for every Ctrl-C or SIGTERM from now on; returns how to stop that. */
  onInterrupt(callback: () => void): () => void;
  /** Asks a process of this user to end. Throws when there is none, or when it is somebody else's. */
  endProcess(pid: number): void;
  /** Ends the process at once. */
  exit(code: ExitCode): void;
}
