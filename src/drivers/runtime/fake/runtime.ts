import type { EndReason, InstanceObservation } from '../../../domain/instance/instance.ts';
import type { Clock } from '../../../ports/clock.ts';
import { EvenkeelError } from '../../../ports/errors.ts';
import type { InstanceSpec, Runtime } from '../../../ports/runtime.ts';

/** How an instance of the fake behaves; times are in ms. */
export interface FakeInstanceBehaviour {
  /** Ends by itself this long after its start. */
  ends?: { afterMs: number; end: EndReason };
  /** Stops this long after it was asked to; `null`: only when it is killed after its grace. Default: 0. */
  stopsAfterMs?: number | null;
}

export interface FakeRuntimeOptions {
  clock: Pick<Clock, 'now'>;
  /** Asked once for each start. Default: runs until it is stopped. */
  behaviour?: (spec: InstanceSpec) => FakeInstanceBehaviour;
}

/** A runtime in memory, for tests: time passes only by its clock. It passes the conformance suite. */
export interface FakeRuntime extends Runtime {
  /** What was started, in order; each id once. */
  readonly started: readonly InstanceSpec[];
  /** Ends a running instance now, as if it had crashed. */
  crash(id: string, end?: EndReason): void;
}

export function fakeRuntime(options: FakeRuntimeOptions): FakeRuntime {
  return new InMemoryRuntime(options);
}

interface Instance {
  spec: InstanceSpec;
  behaviour: FakeInstanceBehaviour;
  pid: number;
  startedAt: number;
  stopRequested: boolean;
  /** When it ends or ended, and why; the future is decided as soon as it is known. */
  end: { at: number; reason: EndReason } | null;
}

class InMemoryRuntime implements FakeRuntime {
  readonly kind = 'fake';
  readonly started: InstanceSpec[] = [];
  readonly #now: () => number;
  readonly #behaviour: (spec: InstanceSpec) => FakeInstanceBehaviour;
  readonly #instances = new Map<string, Instance>();
  #nextPort = 20_000;
  #nextPid = 1_000;

  constructor({ clock, behaviour }: FakeRuntimeOptions) {
    this.#now = () => clock.now();
    this.#behaviour = behaviour ?? (() => ({}));
  }

  async start(spec: InstanceSpec): Promise<void> {
    if (this.#instances.has(spec.id)) return;
    if (spec.alone === true) this.#refuseBeside(spec);
    const behaviour = this.#behaviour(spec);
    const startedAt = this.#now();
    const end =
      behaviour.ends === undefined ? null : { at: startedAt + behaviour.ends.afterMs, reason: behaviour.ends.end };
    this.started.push(spec);
    this.#instances.set(spec.id, { spec, behaviour, pid: this.#nextPid++, startedAt, stopRequested: false, end });
  }

  #refuseBeside({ id, project, environment, service }: InstanceSpec): void {
    for (const other of this.#instances.values()) {
      const { spec } = other;
      if (spec.project !== project || spec.environment !== environment || spec.service !== service) continue;
      if (this.#hasEnded(other)) continue;
      throw new EvenkeelError({
        code: 'instance-not-alone',
        what: `${id} was not started: ${spec.id} still runs, and ${service} cannot run twice.`,
        retryable: true,
      });
    }
  }

  async stop(id: string, { graceMs }: { graceMs: number; reason: string }): Promise<void> {
    const instance = this.#instances.get(id);
    if (instance === undefined || this.#hasEnded(instance)) return;
    const patience = this.#now() + graceMs;
    const { stopsAfterMs = 0 } = instance.behaviour;
    const graceful = stopsAfterMs === null || instance.stopRequested ? Infinity : this.#now() + stopsAfterMs;
    instance.stopRequested = true;
    const stopped: Instance['end'] =
      graceful <= patience
        ? { at: graceful, reason: { kind: 'signal', signal: 'SIGTERM' } }
        : { at: patience, reason: { kind: 'signal', signal: 'SIGKILL' } };
    if (instance.end === null || stopped.at < instance.end.at) instance.end = stopped;
  }

  async observe(scope: { project: string; environment: string }): Promise<InstanceObservation[]> {
    return [...this.#instances.values()]
      .filter(({ spec }) => spec.project === scope.project && spec.environment === scope.environment)
      .map((instance) => this.#observation(instance));
  }

  async remove(id: string): Promise<void> {
    const instance = this.#instances.get(id);
    if (instance === undefined) return;
    if (!this.#hasEnded(instance)) {
      throw new EvenkeelError({
        code: 'instance-running',
        what: `${id} still runs and cannot be removed.`,
        next: 'Stop it, and wait for its end.',
        retryable: true,
      });
    }
    this.#instances.delete(id);
  }

  async allocatePort(): Promise<number> {
    return this.#nextPort++;
  }

  crash(id: string, end: EndReason = { kind: 'exit', code: 1 }): void {
    const instance = this.#instances.get(id);
    if (instance === undefined || this.#hasEnded(instance)) throw new Error(`${id} does not run`);
    instance.end = { at: this.#now(), reason: end };
  }

  #hasEnded({ end }: Instance): boolean {
    return end !== null && end.at <= this.#now();
  }

  #observation(instance: Instance): InstanceObservation {
    const { id, service, release, index, generation, port } = instance.spec;
    const { startedAt, stopRequested, pid } = instance;
    const common = { id, service, release, index, generation, port, startedAt, stopRequested };
    if (instance.end !== null && this.#hasEnded(instance)) {
      const { at: endedAt, reason: end } = instance.end;
      return { ...common, state: 'ended', pid: null, endedAt, end, usage: null };
    }
    const usage = { cpuMs: Math.round((this.#now() - startedAt) / 100), memory: 50 * 1024 * 1024 };
    return { ...common, state: stopRequested ? 'stopping' : 'running', pid, endedAt: null, end: null, usage };
  }
}
