import { chmodSync, mkdirSync } from 'node:fs';
import { admit } from '../domain/traffic/admission.ts';
import type { AdmittedTable } from '../domain/traffic/admission.ts';
import type { ChallengeReply } from '../domain/traffic/challenges.ts';
import type { ApplyReply, EdgeState } from '../domain/traffic/protocol.ts';
import type { EdgeStats } from '../domain/traffic/stats.ts';
import type { HeldSocket } from '../platform/revive-keeper.ts';
import { ControlServer, quiescePredecessor, whoAnswers } from './control/control-server.ts';
import type { ControlTarget } from './control/control-server.ts';
import { readCommand, refusedNow, SUPERSEDED } from './control/replies.ts';
import type { Crew } from './crew/crew.ts';
import { mergeState } from './crew/merge-state.ts';
import { portRefusal } from './listen/port-refusal.ts';
import type { EdgeLog } from './log.ts';
import type { EdgeOptions } from './options.ts';
import { Limits } from './policy/limits.ts';
import { TableFile } from './state/table-file.ts';
import { Statistics } from './stats/statistics.ts';
import { Turn } from './turn.ts';
import { rolloutsOf, Worker } from './worker.ts';

const QUIESCE_MS = 1_000;
/** A predecessor that was quiesced but never told to drain looks whether it has a successor. */
const ORPHAN_CHECK_MS = 5_000;

type Phase = 'starting' | 'serving' | 'quiesced' | 'draining' | 'gone';

interface EdgeHooks {
  /** The keeper died. */
  readonly keeperLost: (edge: Edge) => void;
  /** Nothing is left to do. */
  readonly exit: () => void;
  /** What leads other workers; null: there are none, and nothing for them is loaded. */
  readonly Crew: typeof Crew | null;
}

/** One edge, from its restored table to its last reply: a process, or one that leads others which serve as it does. */
export class Edge implements ControlTarget {
  readonly #options: EdgeOptions;
  readonly #log: EdgeLog;
  readonly #exit: () => void;
  readonly #file: TableFile;
  readonly #statistics: Statistics;
  readonly #worker: Worker;
  /** The workers beside this one; null when it is the only one. */
  readonly #crew: Crew | null;
  readonly #control: ControlServer;
  #admitted: AdmittedTable = new Map();
  /** Commands run one after the other. */
  readonly #turn = new Turn();
  #phase: Phase = 'starting';
  /** The version of the file by which it began. */
  #restored: string | null = null;

  constructor(options: EdgeOptions, log: EdgeLog, hooks: EdgeHooks) {
    this.#options = options;
    this.#log = log;
    this.#exit = hooks.exit;
    mkdirSync(options.folder, { recursive: true, mode: 0o700 });
    chmodSync(options.folder, 0o700);
    this.#file = new TableFile(options.folder, log);
    this.#statistics = new Statistics(options.folder, log);
    const limits = new Limits();
    this.#crew =
      hooks.Crew === null
        ? null
        : new hooks.Crew(options, this.#statistics.epoch, log, {
            sockets: () => this.sockets(),
            waits: (asks) => asks.map(({ name, rate, client }) => limits.take(name, rate, client, performance.now())),
            giveBack: (name, client) => limits.giveBack(name, client),
            table: () => this.#admitted,
            challenges: () => this.#worker.challenges.known,
            inTurn: (work) => this.#turn.run(work),
          });
    this.#worker = new Worker(options, log, {
      counts: this.#statistics.own,
      limiterFor: limits.for,
      events: {
        drain: () => void this.drain(),
        shutdown: () => void this.shutdown(),
        lost: () => hooks.keeperLost(this),
      },
      openLate: () => void this.#openLate(),
      ...(this.#crew === null ? {} : { withdraw: (ports) => this.#crew?.withdraw(ports) ?? Promise.resolve() }),
    });
    this.#control = new ControlServer(options.socket, this);
  }

  /** Restores, probes, takes over from a predecessor, listens. */
  async start(): Promise<void> {
    await this.#restore();
    this.#crew?.start();
    await this.#worker.probe();
    // While another one serves there is time for followers to start; where nobody does, nobody waits for them.
    const replacing = this.#crew !== null && (await whoAnswers(this.#options.socket, QUIESCE_MS)) !== null;
    if (replacing) await this.#crew?.ready();
    if (this.#phase !== 'starting') return; // told to leave meanwhile: the one that serves is not to be disturbed
    const since = performance.now();
    await quiescePredecessor(this.#options.socket, QUIESCE_MS);
    await this.#restore(); // what the predecessor was told while this one started
    await this.#file.reserve();
    const failed = await this.#worker.ports.openEach(this.#admitted);
    for (const each of failed) this.#log('error', 'a restored port cannot be listened on', { ...each });
    await this.#crew?.open(replacing);
    if (!(await this.#turn.run(() => this.#takeOver(since)))) return;
    this.#statistics.own.startSaving();
    this.#worker.startSweeping();
    this.#worker.keeper.ready();
    const workers = this.#crew === null ? {} : { workers: this.#crew.size + 1 };
    this.#log('info', 'the edge is ready', { pid: process.pid, epoch: this.#statistics.epoch, ...workers });
  }

  /**
   * Nothing that a predecessor has answered may be missing here. `since`: it was told to answer nothing more, and when
   * nobody comes, it does again.
   */
  async #takeOver(since: number): Promise<boolean> {
    if (this.#phase !== 'starting') return false; // told to leave meanwhile: the control socket is another's
    const mayGoOn = performance.now() - since > ORPHAN_CHECK_MS - QUIESCE_MS;
    if (mayGoOn) await quiescePredecessor(this.#options.socket, QUIESCE_MS);
    await this.#control.listen();
    if (this.#file.version() !== this.#restored) {
      const table = await this.#file.read();
      await this.#worker.ports.openEach(table);
      await this.#serveBy(table);
    }
    this.#worker.challenges.restore();
    await this.#crew?.challenges();
    if (this.#phase === 'starting') this.#phase = 'serving';
    else this.#control.close();
    return this.#phase === 'serving';
  }

  apply(command: unknown): Promise<ApplyReply> {
    return this.#turn.run(() => this.#apply(command));
  }

  async #apply(command: unknown): Promise<ApplyReply> {
    if (this.#phase !== 'serving') return refusedNow(SUPERSEDED);
    const read = readCommand(command);
    if (read.refused !== null) return refusedNow(read.refused);
    const { refused, table } = admit(this.#admitted, read.command);
    if (refused !== null) return refusedNow(refused);
    const { ports, listeners } = this.#worker;
    const opened = await ports.open(table);
    if (!opened.ok) {
      await ports.openEach(this.#admitted); // what was to speak something else speaks what it did
      this.#crew?.share();
      return refusedNow({ reason: 'port', detail: portRefusal(opened, opened.code, listeners.addresses) });
    }
    const unpersisted = await this.#persist(table);
    await this.#serveBy(table);
    return { applied: true, refused: null, at: Date.now(), ...(unpersisted === null ? {} : { unpersisted }) };
  }

  /** Why the table could not be written, or null. Traffic obeys all the same: an abort must not wait for a disk. */
  async #persist(table: AdmittedTable): Promise<string | null> {
    try {
      await this.#file.write(table);
      return null;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.#log('error', 'the routing table could not be written; it serves, but would not survive a crash', { why });
      return why;
    }
  }

  /** Whoever is told that it is done relies on every worker: this one is the last to switch. */
  async #serveBy(table: AdmittedTable): Promise<void> {
    await this.#crew?.switch(table);
    this.#switch(table);
    this.#worker.ports.keepOnly(table);
    this.#crew?.share();
  }

  #switch(table: AdmittedTable): void {
    this.#admitted = table;
    this.#worker.table.replace(table.values());
    this.#statistics.keepRollouts(rolloutsOf(table));
  }

  challenge(command: unknown): Promise<ChallengeReply> {
    return this.#turn.run(async () => {
      if (this.#phase !== 'serving') return { refused: SUPERSEDED };
      const reply = this.#worker.challenges.change(command);
      if (reply.refused === null) await this.#crew?.challenges();
      return reply;
    });
  }

  async #restore(): Promise<void> {
    this.#worker.challenges.restore();
    this.#restored = this.#file.version();
    this.#switch(await this.#file.read());
  }

  async state(): Promise<EdgeState> {
    const others = (await this.#crew?.ask({ kind: 'state' })) ?? [];
    const services = this.#worker.state();
    return {
      epoch: this.#statistics.epoch,
      pid: process.pid,
      services: this.#crew === null ? services : mergeState(services, others),
      tls: this.#worker.ports.tlsState(),
      ...(this.#crew === null ? {} : { workers: [process.pid, ...others.map(({ pid }) => pid)] }),
    };
  }

  async stats(): Promise<EdgeStats> {
    const told = (await this.#crew?.ask({ kind: 'report' })) ?? [];
    const held = (key: string): number => this.#worker.table.service(key)?.held.size ?? 0;
    return this.#statistics.report(Date.now(), held, told);
  }

  async quiesce(): Promise<void> {
    if (this.#phase === 'starting') await this.#turn.done(); // it has the control socket, and not yet all it has to know
    if (this.#phase === 'serving') this.#follow('quiesced');
    await this.#turn.done();
    await this.#crew?.follow(true);
    await this.#statistics.own.save();
    this.#statistics.own.startSaving(true);
    setTimeout(() => void this.#adoptOrLeave(), ORPHAN_CHECK_MS).unref();
  }

  /** What a successor is told holds here, too, for whoever is still connected. */
  #follow(phase: 'quiesced' | 'draining'): void {
    this.#phase = phase;
    this.#worker.follow(this.#file, (table) => this.#switch(table));
  }

  /** Quiesced and never told to drain: with a successor at the socket it leaves, without one it goes on. */
  async #adoptOrLeave(): Promise<void> {
    if (this.#phase !== 'quiesced') return;
    const successor = await whoAnswers(this.#options.socket, QUIESCE_MS);
    if (successor !== null && successor !== process.pid) {
      void this.drain();
      return;
    }
    this.#phase = 'serving';
    this.#worker.heed();
    await this.#crew?.follow(false);
    this.#statistics.own.startSaving();
    if (successor === null) await this.#control.takePlace();
  }

  /** A successor accepts by now: finish what is here and leave. */
  async drain(): Promise<void> {
    if (this.#phase === 'draining' || this.#phase === 'gone') return;
    this.#follow('draining');
    this.#control.close();
    this.#statistics.own.startSaving(true);
    await Promise.all([this.#worker.departure.run(), this.#crew?.leave(this.#worker.context.stopping)]);
    await this.stop();
    this.#worker.keeper.drained();
    this.#exit();
  }

  /** Nobody takes over: finish quickly what is here, and leave. */
  async shutdown(): Promise<void> {
    this.#worker.hurry();
    this.#crew?.hurry();
    await this.drain();
  }

  /** Listening sockets, for a new keeper. */
  sockets(): HeldSocket[] {
    return this.#worker.listeners.sockets();
  }

  get serving(): boolean {
    return this.#phase === 'serving' || this.#phase === 'quiesced';
  }

  /** A port that was taken by somebody else is free now, or a certificate can be used that could not. */
  #openLate(): Promise<unknown> {
    const opened = this.#turn.run(async () => {
      if (this.#phase !== 'serving') return;
      await this.#crew?.look();
      await this.#worker.ports.openEach(this.#admitted);
      this.#crew?.share();
    });
    return opened.catch((error: unknown) => this.#log('error', 'no port opened', { error: String(error) }));
  }

  /** Ends at once what is left. */
  async stop(): Promise<void> {
    if (this.#phase === 'gone') return;
    this.#phase = 'gone';
    this.#control.close();
    this.#crew?.kill();
    await this.#worker.stop(this.#statistics.own);
  }
}
