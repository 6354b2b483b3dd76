import type { AdmittedTable } from '../../domain/traffic/admission.ts';
import type { Challenge } from '../../domain/traffic/challenges.ts';
import { parentLink, spawnNode } from '../../platform/child.ts';
import { entryFile, NODE_OPTIONS } from '../../platform/entry.ts';
import type { PortBinding } from '../../platform/ipc-messages.ts';
import { keepRunning } from '../../platform/keep-running.ts';
import { processIdentity } from '../../platform/process/identity.ts';
import { watch } from '../../platform/watchdog.ts';
import { within } from '../../platform/within.ts';
import type { EdgeLog } from '../log.ts';
import type { EdgeOptions } from '../options.ts';
import { Mate } from './mate.ts';
import type { FollowerChild, MateHooks } from './mate.ts';
import type { AnswerTo, FollowerToLead, LeadToFollower, Order, Question } from './messages.ts';
import { followerArguments } from './follower-arguments.ts';

/** For a follower to be started, and to have looked at all instances. */
const BEGIN_MS = 15_000;
/** Of a lead that starts: longer than that it does not wait for its followers, which come when they come. */
const READY_MS = 5_000;
/** The same once a predecessor takes no commands any more: it does again after a while. */
const HASTE_MS = 2_000;
/** Beyond its own time to drain. */
const LINGER_MS = 5_000;

export interface CrewHooks extends MateHooks {
  /** By which the lead serves. */
  table: () => AdmittedTable;
  challenges: () => Challenge[];
  /** Runs alone among all that changes the table, the ports or the challenges. */
  inTurn: (work: () => Promise<void>) => Promise<void>;
}

/** The followers of a lead: starts them, tells them what it is told, and adds up what they say. */
export class Crew {
  readonly #options: EdgeOptions;
  readonly #epoch: string;
  readonly #log: EdgeLog;
  readonly #hooks: CrewHooks;
  readonly #mates = new Set<Mate>();
  readonly #stopping = new AbortController();
  readonly #parent = processIdentity(process.ppid);
  #following = false;
  /** The lead listens: from now on followers may, too. */
  readonly #open = Promise.withResolvers<void>();
  readonly #begun: Promise<void>[] = [];
  readonly #served: Promise<void>[] = [];

  constructor(options: EdgeOptions, epoch: string, log: EdgeLog, hooks: CrewHooks) {
    this.#options = options;
    this.#epoch = epoch;
    this.#log = log;
    this.#hooks = hooks;
  }

  /** Starts all followers; they receive nothing before `open`. */
  start(): void {
    for (let slot = 1; slot < this.#options.workers; slot++) {
      const [begun, served] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      this.#begun.push(begun.promise);
      this.#served.push(served.promise);
      const ended = (how: string, pauseMs: number): void =>
        this.#log('error', 'a worker ended and is started again', { how, pauseMs });
      void keepRunning(() => this.#live(begun.resolve, served.resolve), ended, this.#stopping.signal);
    }
  }

  /** Resolves when all could accept, or when that takes too long. */
  ready(): Promise<void> {
    return within(READY_MS, this.#begun);
  }

  /** Lets them accept; resolves when all do, or when that takes too long. `replacing`: somebody is waiting to be replaced. */
  open(replacing: boolean): Promise<void> {
    this.#open.resolve();
    return within(replacing ? HASTE_MS : READY_MS, this.#served);
  }

  /** How many followers accept. */
  get size(): number {
    return [...this.#mates].filter(({ accepting }) => accepting).length;
  }

  /** Resolves when nobody serves by another table any more: each has switched, or has been killed. */
  async switch(table: AdmittedTable): Promise<void> {
    await this.#all({ kind: 'table', services: [...table.values()], begin: false });
    // Not before: by the table of before, a port may have to speak something else.
    this.share();
    await this.#all({ kind: 'accept' });
  }

  /** The lead listens elsewhere than before, and all serve by a table that goes with that. */
  share(): void {
    for (const mate of this.#mates) if (mate.accepting) mate.share();
  }

  /** What this process answers to issuers, all do. */
  challenges(): Promise<unknown> {
    return this.#all({ kind: 'challenges', known: this.#hooks.challenges() });
  }

  /** Certificates have changed: what this process serves with, all do. */
  look(): Promise<unknown> {
    return this.#all({ kind: 'look' });
  }

  /** Another lead may command from now on, and these must know at once; or this one does again. */
  async follow(on: boolean): Promise<void> {
    this.#following = on;
    await this.#all({ kind: 'follow', on });
  }

  /** Resolves when nobody listens there any more. */
  async withdraw(ports: readonly PortBinding[]): Promise<void> {
    await this.#all({ kind: 'withdraw', ports: [...ports] });
  }

  /** What those say that accept. */
  ask<Q extends Question>(question: Q): Promise<AnswerTo<Q>[]> {
    return this.#all(question);
  }

  async #all<O extends Order>(order: O): Promise<AnswerTo<O>[]> {
    const accepting = [...this.#mates].filter((mate) => mate.accepting);
    const answers = await Promise.all(
      accepting.map(async (mate) => {
        try {
          return [await mate.order(order, this.#options.answerMs)];
        } catch {
          return []; // it has ended, and its next life begins with all of this
        }
      }),
    );
    return answers.flat();
  }

  /** A life of one follower. `begun`: told when it could accept; `served`: when it does. */
  async #live(begun: () => void, served: () => void): Promise<string> {
    const child = await this.#spawn();
    if (this.#stopping.signal.aborted) child.kill('SIGKILL'); // told to stop while it was being started
    const mate = new Mate(child, this.#hooks);
    this.#mates.add(mate);
    void this.#begin(mate, begun).then(served, () => child.kill('SIGKILL'));
    const { code, signal } = await child.exited;
    this.#mates.delete(mate);
    return `worker ${child.pid} ended with ${signal ?? code ?? 'nothing'}`;
  }

  async #begin(mate: Mate, begun: () => void): Promise<void> {
    const table = (begin: boolean): Order => ({ kind: 'table', services: [...this.#hooks.table().values()], begin });
    await mate.order(table(true), BEGIN_MS);
    begun();
    await this.#open.promise;
    // In turn: what is commanded meanwhile comes before or after this, and is missed in neither case.
    await this.#hooks.inTurn(async () => {
      mate.share();
      await mate.order(table(false), this.#options.answerMs);
      await mate.order({ kind: 'challenges', known: this.#hooks.challenges() }, this.#options.answerMs);
      mate.accepting = true;
      if (this.#following) await mate.order({ kind: 'follow', on: true }, this.#options.answerMs);
      await mate.order({ kind: 'accept' }, this.#options.answerMs);
    });
    watch(mate.child, {
      silenceMs: this.#options.silenceMs,
      hung: (reason) => this.#log('error', 'a worker hangs', { pid: mate.child.pid, reason }),
    });
  }

  #spawn(): Promise<FollowerChild> {
    // Without a channel to it the keeper is dead, and perhaps was when this process looked for its parent.
    const keeper = parentLink()?.connected === true ? this.#parent : null;
    return spawnNode<FollowerToLead, LeadToFollower>({
      entry: entryFile('edge', process.env),
      args: followerArguments({ epoch: this.#epoch, keeper }),
      env: process.env,
      nodeOptions: NODE_OPTIONS.edge,
      // Beside what this process says.
      outputFd: 2,
    });
  }

  /** Tells all to go, at once if nobody takes over; resolves when they are gone, at the latest when their time is over. */
  async leave(hurry: boolean): Promise<void> {
    this.#stopping.abort();
    const leaving = [...this.#mates].map(async ({ child }) => {
      child.send({ type: hurry ? 'shutdown' : 'drain' });
      const timer = setTimeout(() => child.kill('SIGKILL'), this.#options.drainMs + LINGER_MS);
      await child.exited;
      clearTimeout(timer);
    });
    await Promise.all(leaving);
  }

  /** Nobody takes over: also those that have begun to leave. */
  hurry(): void {
    for (const { child } of this.#mates) child.send({ type: 'shutdown' });
  }

  kill(): void {
    this.#stopping.abort();
    for (const { child } of this.#mates) child.kill('SIGKILL');
  }
}
