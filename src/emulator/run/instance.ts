import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { spawnPiped, type PipedProcess } from '../../platform/process/spawn-piped.ts';
import { sendSignal } from '../../platform/process/table.ts';
import { lines } from '../../platform/stream-lines.ts';
import { within } from '../../platform/within.ts';
import type { RememberedProcesses } from '../process/remembered.ts';
import type { Launch } from './launch.ts';
import { started } from './probe.ts';
import type { Probe } from './shapes.ts';

export interface InstanceSpec {
  launch: Launch;
  probe: Probe | undefined;
  /** For its start, ms, at most. */
  startupMs: number;
  /** Between SIGTERM and SIGKILL, ms; 10 s on Cloud Run. */
  graceMs: number;
  onLine: (stream: 'stdout' | 'stderr', line: string, instance: string) => void;
  remembered: RememberedProcesses;
}

/** Why an instance did not come up. */
export class StartFailure extends Error {
  readonly kind: 'not-started' | 'exited' | 'no-answer';

  constructor(kind: StartFailure['kind'], message: string) {
    super(message);
    this.kind = kind;
  }
}

/** One running copy of a revision: a process on this machine that listens on a port of its own. */
export class Instance {
  /** As Cloud Run's logs name it. */
  readonly id: string;
  readonly port: number;
  /** Requests it has now. */
  busy = 0;
  /** When it was last asked for something, ms; meaningless while busy. */
  lastUsed = performance.now();
  readonly #process: PipedProcess;
  readonly #spec: InstanceSpec;
  #ended = false;
  readonly exited: Promise<void>;

  private constructor(id: string, port: number, process: PipedProcess, spec: InstanceSpec) {
    this.id = id;
    this.port = port;
    this.#process = process;
    this.#spec = spec;
    spec.remembered.add(process.pid);
    for (const stream of ['stdout', 'stderr'] as const) void this.#read(stream);
    this.exited = process.exited.then(() => {
      this.#ended = true;
      sendSignal(-process.pid, 'SIGKILL'); // children it left behind
      spec.remembered.remove(process.pid);
    });
  }

  /** Resolves when it is ready for requests; rejects with a StartFailure. Then nothing of it is left. */
  static async start(spec: InstanceSpec, signal: AbortSignal): Promise<Instance> {
    const port = await freePort();
    const id = randomBytes(48).toString('hex');
    const { argv, cwd, env } = spec.launch;
    if (argv.length === 0)
      throw new StartFailure('not-started', 'the image names no program: neither ENTRYPOINT nor CMD');
    let process: PipedProcess;
    try {
      process = await spawnPiped(argv, { cwd, env: { ...env, PORT: String(port) } });
    } catch (error) {
      throw new StartFailure(
        'not-started',
        `the program '${argv[0] ?? ''}' cannot be started: ${(error as Error).message}`,
      );
    }
    const instance = new Instance(id, port, process, spec);
    const stop = new AbortController();
    const give = () => stop.abort();
    signal.addEventListener('abort', give, { once: true });
    if (signal.aborted) give();
    void instance.exited.then(give);
    const up = await started({ probe: spec.probe, port, atMostMs: spec.startupMs, signal: stop.signal });
    signal.removeEventListener('abort', give);
    if (up && !instance.#ended) return instance;
    if (instance.#ended) {
      const { code, signal: by } = await process.exited;
      throw new StartFailure('exited', code === null ? `it was ended by ${by}` : `it exited with code ${code}`);
    }
    await instance.stop(0);
    throw new StartFailure('no-answer', 'it did not answer in time');
  }

  get alive(): boolean {
    return !this.#ended;
  }

  /** SIGTERM, and after the grace SIGKILL, to it and all it started. */
  async stop(graceMs = this.#spec.graceMs): Promise<void> {
    if (this.#ended) return this.exited;
    if (graceMs > 0) {
      sendSignal(-this.#process.pid, 'SIGTERM');
      await within(graceMs, [this.exited]);
    }
    if (!this.#ended) sendSignal(-this.#process.pid, 'SIGKILL');
    await this.exited;
  }

  async #read(stream: 'stdout' | 'stderr'): Promise<void> {
    try {
      for await (const line of lines(this.#process[stream])) this.#spec.onLine(stream, line, this.id);
    } catch {
      // cut off at its end
    }
  }
}

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
