import { spawn, type ChildProcess, type SendHandle, type StdioOptions } from 'node:child_process';

export interface NodeChildSpec {
  /** Absolute path of the file to run. */
  entry: string;
  args?: readonly string[];
  env: NodeJS.ProcessEnv;
  cwd?: string;
  /** Options of node itself, such as `--max-old-space-size=64`. */
  nodeOptions?: readonly string[];
  /** Standard output and error go to this open file; nowhere when absent. */
  outputFd?: number;
}

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** A Node process of ours with an IPC channel on which messages and handles of sockets pass. */
export interface NodeChild<In, Out> {
  readonly pid: number;
  /** False when it is no longer connected; never throws. */
  send(message: Out, handle?: unknown): boolean;
  onMessage(listener: (message: In, handle: unknown) => void): void;
  onDisconnect(listener: () => void): void;
  /** Asks whether it is there; a child that reads its `parentLink` answers by itself. False when it is not connected. */
  ping(): boolean;
  onPong(listener: () => void): void;
  /** Resolves when it has ended, also if that was long ago. */
  readonly exited: Promise<Exit>;
  /** The process is signalled; false when it has ended. */
  kill(signal: NodeJS.Signals): boolean;
  /** Closes the channel and stops waiting for the child: it lives on alone. */
  release(): void;
}

/** Passed beside the messages proper, which are objects. */
const PING = 'ping';
const PONG = 'pong';

/** Node options that every process of ours gets: SQLite is still called experimental on every start otherwise. */
const QUIET = ['--disable-warning=ExperimentalWarning'];

/**
 * Starts a Node process with a channel to it; rejects with the system's error (EAGAIN, ENOMEM, ...) when there is none.
 * It is in a session of its own: a closing terminal, or a Ctrl-C in it, does not reach it.
 */
export async function spawnNode<In, Out>(spec: NodeChildSpec): Promise<NodeChild<In, Out>> {
  const child = start(spec, 'ipc');
  const pid = await started(child);
  return wrap(child, pid);
}

/** Starts a Node process that nobody is tied to: no channel, a session of its own, not waited for. */
export async function spawnDetachedNode(spec: NodeChildSpec): Promise<{ pid: number; exited: Promise<Exit> }> {
  const child = start(spec, 'ignore');
  const pid = await started(child);
  child.unref();
  return { pid, exited: exitOf(child) };
}

function start(spec: NodeChildSpec, channel: 'ipc' | 'ignore'): ChildProcess {
  const output = spec.outputFd ?? 'ignore';
  const stdio: StdioOptions = ['ignore', output, output, channel];
  const args = [...QUIET, ...(spec.nodeOptions ?? []), spec.entry, ...(spec.args ?? [])];
  const child = spawn(process.execPath, args, { env: ownEnv(spec.env), cwd: spec.cwd ?? '/', stdio, detached: true });
  child.on('error', () => {}); // a failed send or kill shows in their results and in `exited`
  return child;
}

/** What was meant for this process alone: options of whoever started it, and its own channel. */
const NOT_INHERITED = new Set(['NODE_OPTIONS', 'NODE_CHANNEL_FD', 'NODE_CHANNEL_SERIALIZATION_MODE', 'NODE_UNIQUE_ID']);

const ownEnv = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !NOT_INHERITED.has(name)));

const exitOf = (child: ChildProcess): Promise<Exit> =>
  new Promise((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })));

function started(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('spawn', () => {
      child.off('error', reject);
      resolve(child.pid as number);
    });
  });
}

function wrap<In, Out>(child: ChildProcess, pid: number): NodeChild<In, Out> {
  return {
    pid,
    exited: exitOf(child),
    send(message, handle) {
      if (!child.connected) return false;
      child.send(message as object, handle as SendHandle, () => {});
      return true;
    },
    onMessage: (listener) =>
      void child.on('message', (message, handle) => {
        if (message !== PONG) listener(message as In, handle);
      }),
    onDisconnect: (listener) => void child.on('disconnect', listener),
    ping() {
      if (!child.connected) return false;
      child.send(PING, () => {});
      return true;
    },
    onPong: (listener) =>
      void child.on('message', (message) => {
        if (message === PONG) listener();
      }),
    kill: (signal) => child.kill(signal),
    release() {
      if (child.connected) child.disconnect();
      child.unref();
    },
  };
}

/** The channel to the process that started this one, or null when there is none. */
export interface ParentLink<In, Out> {
  readonly connected: boolean;
  send(message: Out, handle?: unknown): boolean;
  onMessage(listener: (message: In, handle: unknown) => void): void;
  onDisconnect(listener: () => void): void;
  disconnect(): void;
}

/** The channel to whoever started this process by `spawnNode`; null when it was started otherwise. */
export function parentLink<In, Out>(): ParentLink<In, Out> | null {
  if (process.send === undefined) return null;
  let answering = false;
  return {
    get connected() {
      return process.connected;
    },
    send(message, handle) {
      if (!process.connected) return false;
      process.send?.(message, handle as SendHandle, {}, () => {});
      return true;
    },
    onMessage(listener) {
      process.on('message', (message, handle) => {
        if (message !== PING) listener(message as In, handle);
      });
      // Not before somebody listens: what comes without a listener for the rest would be lost.
      if (!answering) process.on('message', answerPing);
      answering = true;
    },
    onDisconnect(listener) {
      // A parent that died while this process was still loading has been gone for long when somebody asks.
      if (process.connected) process.on('disconnect', listener);
      else queueMicrotask(listener);
    },
    disconnect() {
      if (process.connected) process.disconnect();
    },
  };
}

function answerPing(message: unknown): void {
  if (message === PING && process.connected) process.send?.(PONG, undefined, {}, () => {});
}
