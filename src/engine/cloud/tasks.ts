import type { Address } from '../../domain/cloud/resource.ts';
import type { CloudProblem, Step } from '../../ports/cloud.ts';
import { problemOf } from './problem.ts';

export type Act = 'create' | 'update' | 'replace' | 'remove' | 'start' | 'stop';

/** One change of one resource. Idempotent: it may be run again after whatever ended it. */
export interface Task {
  address: Address;
  act: Act;
  /** Those that must be done before; addresses that are no task of the same run count as done. */
  after: readonly Address[];
  run(progress: (step: Step) => void, signal: AbortSignal): Promise<void>;
}

export type TaskEvent = { address: Address; act: Act } & (
  | { type: 'begun' }
  | { type: 'step'; doing: string }
  /** Took so many ms. */
  | { type: 'done'; ms: number }
  | { type: 'failed'; ms: number; problem: CloudProblem }
  /** What it needs failed. */
  | { type: 'skipped'; because: Address[] }
  /** Ctrl-C: it was begun, and may end by itself. */
  | { type: 'left'; ms: number }
);

export interface Failure {
  address: Address;
  act: Act;
  problem: CloudProblem;
}

export interface TaskOutcome {
  done: { address: Address; act: Act }[];
  failed: Failure[];
  skipped: { address: Address; act: Act; because: Address[] }[];
  /** Begun and not waited for, since `signal` fired. */
  left: { address: Address; act: Act }[];
  /** Not begun, since `signal` fired. */
  waiting: { address: Address; act: Act }[];
}

export interface RunOptions {
  /** Tasks at once. */
  atOnce: number;
  /** From then on nothing is begun, and what is under way is left as soon as it can be. */
  signal: AbortSignal;
  /** Monotonic time, ms. */
  elapsed(): number;
  onEvent(event: TaskEvent): void;
}

/**
 * Runs every task as soon as those before it are done, the longest chains first. One that fails stops only what needs it;
 * the rest goes on, and all failures are told at the end. Never throws for what a task throws.
 */
export async function runTasks(tasks: readonly Task[], options: RunOptions): Promise<TaskOutcome> {
  const outcome: TaskOutcome = { done: [], failed: [], skipped: [], left: [], waiting: [] };
  const byAddress = new Map(tasks.map((task) => [task.address, task]));
  refuseCircles(byAddress);
  const height = heights(byAddress);
  const open = new Set([...tasks].toSorted((a, b) => (height.get(b.address) ?? 0) - (height.get(a.address) ?? 0)));
  const bad = new Set<Address>();
  const finished = new Set<Address>();
  const running = new Map<Address, Promise<void>>();

  const begin = (task: Task): void => {
    open.delete(task);
    const { address, act } = task;
    const started = options.elapsed();
    const say = (event: Happened): void => options.onEvent({ address, act, ...event });
    say({ type: 'begun' });
    const work = task
      .run(({ doing }) => say({ type: 'step', doing }), options.signal)
      .then(() => {
        outcome.done.push({ address, act });
        finished.add(address);
        say({ type: 'done', ms: options.elapsed() - started });
      })
      .catch((error: unknown) => {
        bad.add(address);
        const ms = options.elapsed() - started;
        if (options.signal.aborted) {
          outcome.left.push({ address, act });
          return say({ type: 'left', ms });
        }
        const problem = problemOf(error);
        outcome.failed.push({ address, act, problem });
        say({ type: 'failed', ms, problem });
      })
      .finally(() => running.delete(address));
    running.set(address, work);
  };

  const skip = (task: Task, because: Address[]): void => {
    open.delete(task);
    bad.add(task.address);
    outcome.skipped.push({ address: task.address, act: task.act, because });
    options.onEvent({ type: 'skipped', address: task.address, act: task.act, because });
  };

  for (;;) {
    if (options.signal.aborted) {
      outcome.waiting.push(...[...open].map(({ address, act }) => ({ address, act })));
      open.clear();
    }
    let moved = true;
    while (moved) {
      moved = false;
      for (const task of open) {
        const needed = task.after.filter((address) => byAddress.has(address) && address !== task.address);
        const because = needed.filter((address) => bad.has(address));
        if (because.length > 0) {
          skip(task, because);
          moved = true;
        } else if (running.size < options.atOnce && needed.every((address) => finished.has(address))) {
          begin(task);
          moved = true;
        }
      }
    }
    if (running.size === 0) return outcome;
    await Promise.race(running.values());
  }
}

type Happened = TaskEvent extends infer Event
  ? Event extends TaskEvent
    ? Omit<Event, 'address' | 'act'>
    : never
  : never;

/** How many tasks at most must be done one after the other from this one on. */
function heights(byAddress: ReadonlyMap<Address, Task>): Map<Address, number> {
  const users = new Map<Address, Address[]>();
  for (const { address, after } of byAddress.values())
    for (const needed of after) users.set(needed, [...(users.get(needed) ?? []), address]);
  const known = new Map<Address, number>();
  const heightOf = (address: Address): number => {
    const height = known.get(address) ?? 1 + Math.max(0, ...(users.get(address) ?? []).map(heightOf));
    known.set(address, height);
    return height;
  };
  for (const address of byAddress.keys()) heightOf(address);
  return known;
}

/** A circle is a mistake of ours, and would otherwise end as a silent success. */
function refuseCircles(byAddress: ReadonlyMap<Address, Task>): void {
  const path = new Set<Address>();
  const fine = new Set<Address>();
  const visit = (address: Address): void => {
    const task = byAddress.get(address);
    if (task === undefined || fine.has(address)) return;
    if (path.has(address)) throw new Error([...path, address].join(' needs '));
    path.add(address);
    for (const needed of task.after) if (needed !== address) visit(needed);
    path.delete(address);
    fine.add(address);
  };
  for (const address of byAddress.keys()) visit(address);
}
