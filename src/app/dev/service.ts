import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Readable } from 'node:stream';
import { formatDuration, formatTimeLeft } from '../../lib/format.ts';
import { spawnPiped, type PipedProcess } from '../../platform/process/spawn-piped.ts';
import { lines } from '../../platform/stream-lines.ts';
import { becomeProgram } from '../../drivers/runtime/process/command.ts';
import { described } from '../../ports/errors.ts';
import { answers } from './answers.ts';
import type { Say } from './events.ts';
import { nextDelay, type Planned } from './plan.ts';
import { endAll, RUN_MARK, SERVICE_MARK } from './processes.ts';

/** `waiting`: for those in `after`. */
export type State = 'waiting' | 'starting' | 'ready' | 'ended';

export interface ServiceOptions {
  planned: Planned;
  /** Of the project. */
  root: string;
  port: number | null;
  /** The program's whole environment, but for the marks. */
  env: Record<string, string>;
  /** Names the run. */
  run: string;
  say: Say;
  /** The services that must be ready before this one starts. */
  after(): readonly DevService[];
}

/** Who asks over HTTP is told when nothing answers for this long, ms: the deadline of production is for machines. */
const PATIENCE_MS = 15_000;
const LOOK_MS = 100;
const LATER_LOOK_MS = 1_000;
/** Who is not asked over HTTP is taken to be well when it lived for this long, ms. */
const STAYS_UP_MS = 500;
/** How long outputs are read after the end, ms, when somebody out of reach still has them. */
const LINGER_MS = 500;

/** One service: started, watched, ended and started anew, until the run is over. */
export class DevService {
  readonly name: string;
  readonly port: number | null;
  readonly #options: ServiceOptions;
  readonly #sessions = new Set<number>();
  readonly #listeners = new Set<() => void>();
  #state: State = 'waiting';
  #host = '127.0.0.1';
  #changed = Promise.withResolvers<'changed'>();
  #how = '';
  #trouble = '';

  constructor(options: ServiceOptions) {
    this.#options = options;
    this.name = options.planned.config.name;
    this.port = options.port;
  }

  get state(): State {
    return this.#state;
  }

  /** Where it listens; known once it is ready. */
  get host(): string {
    return this.#host;
  }

  /** How it ended, such as `with code 1`; empty before. */
  get how(): string {
    return this.#how;
  }

  /** Why it was not healthy when it was asked last; empty before. */
  get trouble(): string {
    return this.#trouble;
  }

  /**
   * Its files are others than those it was started with; says whether it starts anew. A program that reloads by itself
   * is left alone while it lives.
   */
  filesChanged(): boolean {
    if (this.#options.planned.reloads && this.#state !== 'ended') return false;
    this.#changed.resolve('changed');
    return true;
  }

  /** The next moment at which `test` holds for its state, at most `ms` from now; says whether it does. */
  async until(test: (state: State) => boolean, signal: AbortSignal, ms = Infinity): Promise<boolean> {
    if (test(this.#state)) return true;
    const seen = Promise.withResolvers<void>();
    const look = (): void => {
      if (test(this.#state)) seen.resolve();
    };
    const over = (): void => seen.resolve();
    const timer = Number.isFinite(ms) ? setTimeout(over, ms) : undefined;
    this.#listeners.add(look);
    signal.addEventListener('abort', over, { once: true });
    if (signal.aborted) over();
    await seen.promise;
    clearTimeout(timer);
    this.#listeners.delete(look);
    signal.removeEventListener('abort', over);
    return test(this.#state);
  }

  /** Runs it until `over` fires; resolves when nothing of it is left. Never rejects. */
  async live(over: AbortSignal): Promise<void> {
    const before = this.#options.after();
    await Promise.all(before.map((each) => each.until((state) => state === 'ready', over)));
    let delay = 0;
    while (!over.aborted) {
      this.#changed = Promise.withResolvers();
      this.#trouble = '';
      this.#become('starting');
      const started = performance.now();
      const end = await this.#once(over);
      if (over.aborted) break;
      if (end === 'changed') continue;
      delay = nextDelay(delay, performance.now() - started);
      this.#how = end;
      this.#become('ended');
      const text = `${this.name} ended ${end}; it starts again when its files change, or in ${formatTimeLeft(delay)}`;
      this.#options.say({ type: 'ended', service: this.name, text });
      if (await this.#pause(delay, over)) delay = 0;
    }
    this.#become('ended');
  }

  /** True when it was cut short by a change. */
  async #pause(ms: number, over: AbortSignal): Promise<boolean> {
    const stop = new AbortController();
    const signal = AbortSignal.any([over, stop.signal]);
    const end = await Promise.race([sleep(ms, 'passed', { signal }).catch(() => 'over'), this.#changed.promise]);
    stop.abort();
    return end === 'changed';
  }

  /** From a start to an end: `changed` when it was ended for new files, else how it ended by itself. */
  async #once(over: AbortSignal): Promise<string> {
    const { planned, say } = this.#options;
    let running: PipedProcess;
    try {
      running = await this.#start();
    } catch (error) {
      return `before it began: ${described(error)}`;
    }
    this.#sessions.add(running.pid);
    say({ type: 'starting', service: this.name, text: `${this.name} starts: ${planned.command}` });
    const ended = new AbortController();
    const output = [this.#pass(running.stdout, 'stdout'), this.#pass(running.stderr, 'stderr')];
    void this.#watch(AbortSignal.any([over, ended.signal]));
    const stopped = Promise.withResolvers<'stopped'>();
    const stop = (): void => stopped.resolve('stopped');
    over.addEventListener('abort', stop, { once: true });
    if (over.aborted) stop();
    const end = await Promise.race([running.exited.then(describeExit), this.#changed.promise, stopped.promise]);
    over.removeEventListener('abort', stop);
    ended.abort();
    if (end === 'changed') this.#become('starting');
    await endAll(this.#mine(), planned.config.stopGraceMs);
    await Promise.race([Promise.all(output), sleep(LINGER_MS, undefined, { ref: false })]);
    running.stdout.destroy();
    running.stderr.destroy();
    this.#sessions.delete(running.pid);
    return end;
  }

  #mine() {
    const marks = [`${RUN_MARK}=${this.#options.run}`, `${SERVICE_MARK}=${this.name}`];
    return { marks, sessions: this.#sessions };
  }

  #start(): Promise<PipedProcess> {
    const { planned, root, env, run } = this.#options;
    // Never in arguments: a command is not secret, but what the shell makes of it may be.
    return spawnPiped(['/bin/sh', '-c', becomeProgram(planned.command ?? '')], {
      cwd: join(root, planned.config.dir),
      env: { ...env, [RUN_MARK]: run, [SERVICE_MARK]: this.name },
    });
  }

  async #pass(stream: Readable, name: 'stdout' | 'stderr'): Promise<void> {
    try {
      for await (const text of lines(stream)) {
        this.#options.say({ type: 'line', service: this.name, text, stream: name });
      }
    } catch {
      // it was closed here, since somebody out of reach held it open
    }
  }

  /** Says when it is well, and when that takes too long. */
  async #watch(signal: AbortSignal): Promise<void> {
    const { say, planned } = this.#options;
    const { path, timeoutMs, deadlineMs } = planned.config.health;
    const started = performance.now();
    const passed = (): number => performance.now() - started;
    if (this.port === null) {
      await sleep(STAYS_UP_MS, undefined, { signal }).catch(() => {});
      if (signal.aborted) return;
      this.#become('ready');
      say({ type: 'ready', service: this.name, text: `${this.name} runs` });
      return;
    }
    let told = false;
    while (!signal.aborted) {
      // A static folder has no check of its own; what its `dev` command serves is a page.
      const answer = await answers(this.port, path, timeoutMs);
      if (signal.aborted) return;
      if (answer.ok) {
        this.#host = answer.host;
        this.#become('ready');
        const url = `http://${answer.host === '::1' ? '[::1]' : answer.host}:${this.port}`;
        const text = `${this.name} is ready at ${url}, after ${formatDuration(passed())}`;
        say({ type: 'ready', service: this.name, text, url });
        return;
      }
      this.#trouble = answer.why;
      if (!told && passed() > Math.min(deadlineMs, PATIENCE_MS)) {
        told = true;
        const hint = answer.listens ? '' : ', which is its $PORT';
        const text = `${this.name} is not healthy after ${formatDuration(passed())}: ${answer.why}${hint}`;
        say({ type: 'unhealthy', service: this.name, text });
      }
      await sleep(told ? LATER_LOOK_MS : LOOK_MS, undefined, { signal }).catch(() => {});
    }
  }

  #become(state: State): void {
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }
}

const describeExit = ({ code, signal }: { code: number | null; signal: NodeJS.Signals | null }): string =>
  signal === null ? `with code ${code}` : `by ${signal}`;
