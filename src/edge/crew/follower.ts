import type { AdmittedTable } from '../../domain/traffic/admission.ts';
import { tableOf } from '../../domain/traffic/admission.ts';
import { parentLink } from '../../platform/child.ts';
import type { EdgeLog } from '../log.ts';
import type { EdgeOptions } from '../options.ts';
import { TableFile } from '../state/table-file.ts';
import { newestLife } from '../stats/epoch-store.ts';
import { LifeFile } from '../stats/life-file.ts';
import { countersIn, OwnCounts } from '../stats/own-counts.ts';
import { Turn } from '../turn.ts';
import { rolloutsOf, Worker } from '../worker.ts';
import { AskedLimits } from './asked-limits.ts';
import type { Upbringing } from './follower-arguments.ts';
import type { Answers, FollowerToLead, LeadToFollower, Order, Question } from './messages.ts';
import { isQuestion } from './messages.ts';
import { aboveMe, awaitSuccessor } from './orphaned.ts';
import type { Above } from './orphaned.ts';

/** `orphaned`: its lead is gone, and it goes on by what is in the file until another one serves. */
type Phase = 'led' | 'orphaned' | 'draining' | 'gone';

/**
 * A worker beside the lead of an edge: accepts from the same sockets and serves by the same table. It has no command
 * socket, no fence and no table of its own; what it counts lies in a file of its own, as that of every edge process.
 */
export class Follower {
  readonly #log: EdgeLog;
  readonly #options: EdgeOptions;
  readonly #exit: () => void;
  readonly #file: LifeFile;
  readonly #counts: OwnCounts;
  readonly #limits: AskedLimits;
  readonly #worker: Worker;
  readonly #table: TableFile;
  readonly #above: Above;
  #admitted: AdmittedTable = new Map();
  #accepting = false;
  readonly #turn = new Turn();
  #phase: Phase = 'led';

  constructor(options: EdgeOptions, { epoch, keeper }: Upbringing, log: EdgeLog, exit: () => void) {
    this.#above = aboveMe(keeper);
    this.#options = options;
    this.#log = log;
    this.#exit = exit;
    const counters = countersIn(options.folder);
    this.#file = new LifeFile(counters, { epoch, after: () => newestLife(counters) });
    this.#counts = new OwnCounts(options.folder, this.#file, log);
    this.#table = new TableFile(options.folder, log);
    const link = parentLink<LeadToFollower, FollowerToLead>();
    const say = (message: FollowerToLead): boolean => link?.send(message) === true;
    this.#limits = new AskedLimits(say, options.workers);
    this.#worker = new Worker(options, log, {
      counts: this.#counts,
      limiterFor: this.#limits.for,
      events: {
        drain: () => void this.drain(),
        shutdown: () => void this.shutdown(),
        lost: () => void this.#orphaned(),
      },
      openLate: () => void this.#turn.run(() => this.#listen()),
    });
    link?.onMessage((message) => {
      if (message.type === 'waits') this.#limits.answered(message.n, message.waits);
      if (message.type !== 'order') return;
      const { n, order } = message;
      const answer = isQuestion(order) ? this.#answer(order) : this.#turn.run(() => this.#carryOut(order));
      answer.then(
        (said) => say({ type: 'done', n, answer: said }),
        // It is not done, and the lead will see to it.
        (error: unknown) => this.#log('error', 'an order could not be carried out', { error: String(error) }),
      );
    });
    this.#counts.startSaving();
    this.#worker.startSweeping();
    // Nobody leads it, or ever will.
    if (link === null) void this.shutdown();
  }

  async #carryOut(order: Exclude<Order, Question>): Promise<null> {
    switch (order.kind) {
      case 'table':
        this.#switch(tableOf(order.services));
        if (order.begin) await this.#worker.probe();
        break;
      case 'accept':
        this.#accepting = true;
        await this.#listen();
        break;
      case 'withdraw':
        for (const address of order.ports) this.#worker.listeners.close(address);
        this.#worker.keeper.forget(order.ports);
        break;
      case 'follow':
        if (order.on) this.#follow();
        else this.#heed();
        break;
      case 'look':
        await this.#worker.ports.look();
        break;
      case 'challenges':
        this.#worker.challenges.replace(order.known);
        break;
    }
    return null;
  }

  /** What cannot be had now comes when the lead has it. */
  async #listen(): Promise<void> {
    if (this.#phase !== 'led' || !this.#accepting) return;
    const { ports } = this.#worker;
    await ports.openEach(this.#admitted);
    ports.keepOnly(this.#admitted);
  }

  #switch(table: AdmittedTable): void {
    this.#admitted = table;
    this.#worker.table.replace(table.values());
    this.#counts.keepRollouts(rolloutsOf(table), (evidence) => evidence.close());
  }

  async #answer({ kind }: Question): Promise<Answers[Question['kind']]> {
    const { table } = this.#worker;
    if (kind === 'state') return { pid: process.pid, services: this.#worker.state() };
    const counts = await this.#counts.save();
    return {
      life: this.#file.record(counts),
      held: Object.fromEntries([...table.services].map(({ key, held }) => [key, held.size])),
      unwritten: Object.fromEntries(
        [...this.#counts.evidence].map(([rollout, { unwritten }]) => [rollout, [...unwritten]]),
      ),
    };
  }

  /**
   * The lead is gone. What is open goes on, and so does accepting, as long as nobody else does it; tables are read where
   * the next lead keeps them. It never lasts: another lead brings workers of its own.
   */
  async #orphaned(): Promise<void> {
    if (this.#phase !== 'led') return;
    if (!this.#accepting) return this.shutdown();
    this.#phase = 'orphaned';
    this.#follow();
    this.#counts.startSaving(true);
    const end = await awaitSuccessor(this.#options.socket, this.#above, () => this.#phase === 'orphaned');
    this.#log('warn', 'the lead is gone', { comes: end });
    if (end === 'nobody') await this.shutdown();
    else await this.drain();
  }

  /** By what is in the file from now on. */
  #follow(): void {
    this.#worker.follow(this.#table, (table) => this.#switch(table));
  }

  /** By what the lead says again. It has not spoken meanwhile, and the file is what it serves by. */
  #heed(): void {
    this.#worker.context.lookUp?.();
    this.#worker.heed();
  }

  /** Others accept by now: finish what is here and leave. */
  async drain(): Promise<void> {
    if (this.#phase === 'draining' || this.#phase === 'gone') return;
    this.#phase = 'draining';
    this.#follow();
    this.#counts.startSaving(true);
    await this.#worker.departure.run();
    this.#phase = 'gone';
    await this.#worker.stop(this.#counts);
    this.#exit();
  }

  /** Nobody takes over: finish quickly what is here, and leave. */
  async shutdown(): Promise<void> {
    this.#worker.hurry();
    await this.drain();
  }
}
