import type { Clock } from '../../../ports/clock.ts';
import { EvenkeelError } from '../../../ports/errors.ts';
import type { JobObservation, JobRunner, JobSpec } from '../../../ports/runtime.ts';

/** How a job of the fake behaves; times are in ms. */
export type FakeJobBehaviour =
  | { kind: 'exit'; code: number; afterMs?: number }
  | { kind: 'signal'; signal: string; afterMs?: number }
  /** Runs until it is cancelled; without `heedsCancel`, until it is killed after the grace. */
  | { kind: 'hang'; heedsCancel?: boolean }
  /** Dies without a record. */
  | { kind: 'unknown'; reason: string; afterMs?: number };

export interface FakeJobsOptions {
  clock: Pick<Clock, 'now'>;
  /** Asked once for each start. Default: exit code 0, at once. */
  behaviour?: (spec: JobSpec) => FakeJobBehaviour;
}

/** A job runner in memory, for tests: time passes only by its clock. It passes the conformance suite. */
export interface FakeJobs extends JobRunner {
  /** What was started, in order; each id once. */
  readonly started: readonly JobSpec[];
  /** Ends a running job now. */
  end(id: string, end: { exit: number } | { signal: string } | { unknown: string }): void;
}

export function fakeJobs(options: FakeJobsOptions): FakeJobs {
  return new InMemoryJobs(options);
}

type End = { at: number } & ({ exit: number | null; signal: string | null; cancelled: boolean } | { unknown: string });

interface Job {
  behaviour: FakeJobBehaviour;
  pid: number;
  startedAt: number;
  cancelled: boolean;
  end: End | null;
}

class InMemoryJobs implements FakeJobs {
  readonly started: JobSpec[] = [];
  readonly #now: () => number;
  readonly #behaviour: (spec: JobSpec) => FakeJobBehaviour;
  readonly #jobs = new Map<string, Job>();
  #nextPid = 5_000;

  constructor({ clock, behaviour }: FakeJobsOptions) {
    this.#now = () => clock.now();
    this.#behaviour = behaviour ?? (() => ({ kind: 'exit', code: 0 }));
  }

  async start(spec: JobSpec): Promise<void> {
    if (this.#jobs.has(spec.id)) return;
    const behaviour = this.#behaviour(spec);
    const startedAt = this.#now();
    this.started.push(spec);
    this.#jobs.set(spec.id, {
      behaviour,
      pid: this.#nextPid++,
      startedAt,
      cancelled: false,
      end: endBy(behaviour, startedAt),
    });
  }

  async observe(id: string): Promise<JobObservation> {
    const job = this.#jobs.get(id);
    if (job === undefined) return { state: 'absent' };
    const { startedAt, pid, end } = job;
    if (end === null || end.at > this.#now()) return { state: 'running', startedAt, pid };
    if ('unknown' in end) return { state: 'unknown', reason: end.unknown };
    return { state: 'ended', startedAt, endedAt: end.at, exit: end.exit, signal: end.signal, cancelled: end.cancelled };
  }

  async cancel(id: string, { graceMs }: { graceMs: number }): Promise<void> {
    const job = this.#jobs.get(id);
    if (job === undefined || (await this.observe(id)).state !== 'running') return;
    const heeds = (job.behaviour.kind !== 'hang' || job.behaviour.heedsCancel === true) && !job.cancelled;
    job.cancelled = true;
    const at = this.#now() + (heeds ? 0 : graceMs);
    if (job.end !== null && job.end.at <= at) return;
    job.end = { at, exit: null, signal: heeds ? 'SIGTERM' : 'SIGKILL', cancelled: true };
  }

  async remove(id: string): Promise<void> {
    if ((await this.observe(id)).state === 'running') {
      throw new EvenkeelError({
        code: 'job-running',
        what: `The job ${id} still runs and cannot be removed.`,
        next: 'Cancel it, and wait for its end.',
        retryable: true,
      });
    }
    this.#jobs.delete(id);
  }

  end(id: string, end: { exit: number } | { signal: string } | { unknown: string }): void {
    const job = this.#jobs.get(id);
    if (job === undefined) throw new Error(`the job ${id} does not run`);
    const at = this.#now();
    if ('unknown' in end) job.end = { at, unknown: end.unknown };
    else if ('exit' in end) job.end = { at, exit: end.exit, signal: null, cancelled: job.cancelled };
    else job.end = { at, exit: null, signal: end.signal, cancelled: job.cancelled };
  }
}

function endBy(behaviour: FakeJobBehaviour, startedAt: number): End | null {
  if (behaviour.kind === 'hang') return null;
  const at = startedAt + (behaviour.afterMs ?? 0);
  if (behaviour.kind === 'unknown') return { at, unknown: behaviour.reason };
  if (behaviour.kind === 'exit') return { at, exit: behaviour.code, signal: null, cancelled: false };
  return { at, exit: null, signal: behaviour.signal, cancelled: false };
}
