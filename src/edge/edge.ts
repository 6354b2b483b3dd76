import { chmodSync, mkdirSync } from 'node:fs';
import { admit } from '../domain/traffic/admission.ts';
import type { AdmittedService } from '../domain/traffic/admission.ts';
import { applyCommandSchema } from '../domain/traffic/protocol.ts';
import type { ChallengeReply } from '../domain/traffic/challenges.ts';
import type { ApplyReply, EdgeState } from '../domain/traffic/protocol.ts';
import type { EdgeStats } from '../domain/traffic/stats.ts';
import { Challenges } from './acme/challenges.ts';
import { Departure } from './departure.ts';
import { ControlServer, quiescePredecessor, whoAnswers } from './control/control-server.ts';
import type { ControlTarget } from './control/control-server.ts';
import { KeeperLink } from './listen/keeper-link.ts';
import { Listeners } from './listen/listeners.ts';
import { Ports } from './listen/ports.ts';
import { portRefusal } from './listen/port-refusal.ts';
import type { LiveInstance } from './live/instance.ts';
import { probeAll } from './live/probe-all.ts';
import { LiveTable } from './live/table.ts';
import { innerEvidenceOf } from '../domain/analysis/evidence.ts';
import type { HeldSocket } from '../platform/revive-keeper.ts';
import { AccessLogs } from './access-log/access-logs.ts';
import type { EdgeLog } from './log.ts';
import type { EdgeOptions } from './options.ts';
import { LivePolicies } from './policy/live-policies.ts';
import type { ProxyContext } from './proxy/context.ts';
import { Front } from './proxy/front.ts';
import { Sweeper } from './proxy/sweeper.ts';
import { probeCheck, trust } from './proxy/trust.ts';
import { followTable } from './state/follow-table.ts';
import { TableFile } from './state/table-file.ts';
import { Statistics } from './stats/statistics.ts';
import { TlsPorts } from './tls/tls-ports.ts';

/** For restored instances to be probed before traffic is taken. */
const RESTORE_PROBE_MS = 1_500;
const QUIESCE_MS = 1_000;
/** A predecessor that was quiesced but never told to drain looks whether it has a successor. */
const ORPHAN_CHECK_MS = 5_000;
const POOL_SWEEP_MS = 500;

type Phase = 'starting' | 'serving' | 'quiesced' | 'draining' | 'gone';

/** One edge process, from its restored table to its last reply. */
export class Edge implements ControlTarget {
  readonly #options: EdgeOptions;
  readonly #log: EdgeLog;
  readonly #exit: () => void;
  readonly #file: TableFile;
  readonly #statistics: Statistics;
  readonly #challenges: Challenges;
  readonly #table: LiveTable;
  readonly #context: ProxyContext;
  readonly #accessLogs: AccessLogs;
  readonly #keeper: KeeperLink;
  readonly #listeners: Listeners;
  readonly #ports: Ports;
  readonly #control: ControlServer;
  readonly #departure: Departure;
  readonly #timers: NodeJS.Timeout[] = [];
  #admitted: ReadonlyMap<string, AdmittedService> = new Map();
  /** Commands run one after the other. */
  #turn: Promise<unknown> = Promise.resolve();
  #phase: Phase = 'starting';

  /** `keeperLost` is called when the keeper died; `exit` when nothing is left to do. */
  constructor(options: EdgeOptions, log: EdgeLog, hooks: { keeperLost: (edge: Edge) => void; exit: () => void }) {
    this.#options = options;
    this.#log = log;
    this.#exit = hooks.exit;
    mkdirSync(options.folder, { recursive: true, mode: 0o700 });
    chmodSync(options.folder, 0o700);
    this.#file = new TableFile(options.folder, log);
    this.#statistics = new Statistics(options.folder, log);
    this.#challenges = new Challenges(options.folder, log);
    this.#accessLogs = new AccessLogs(options.logs, log);
    const policies = new LivePolicies(log, this.#accessLogs);
    this.#table = new LiveTable(this.#statistics, options.hold.requests, policies);
    this.#context = {
      options,
      book: this.#statistics.book,
      sweeper: new Sweeper(),
      longLived: new Set(),
      inFlight: 0,
      draining: false,
      stopping: false,
      service: (key) => this.#table.service(key),
      trusts: trust(options.trustedProxies),
      isProbe: probeCheck(options.probeToken),
      servesTls: (address) => this.#ports.servesTls(address),
      challenges: this.#challenges,
    };
    this.#keeper = new KeeperLink({
      drain: () => void this.drain(),
      shutdown: () => void this.shutdown(),
      unlisten: (address) => this.#listeners.close(address),
      gained: () => void this.#openLate(),
      lost: () => hooks.keeperLost(this),
    });
    const tls = new TlsPorts({ folder: options.folder, lookMs: options.certificateLookMs }, log, () => {
      void this.#openLate();
    });
    this.#listeners = new Listeners(this.#context, new Front(this.#context, this.#table), this.#keeper, tls);
    this.#ports = new Ports(this.#listeners, tls);
    this.#departure = new Departure(options, this.#context, this.#listeners);
    this.#control = new ControlServer(options.socket, this);
  }

  /** Restores, probes, takes over from a predecessor, listens. */
  async start(): Promise<void> {
    await this.#restore();
    await probeAll(this.#instances(), RESTORE_PROBE_MS);
    if (this.#phase !== 'starting') return; // told to leave meanwhile: the one that serves is not to be disturbed
    await quiescePredecessor(this.#options.socket, QUIESCE_MS);
    await this.#restore(); // what the predecessor was told while this one started
    await this.#file.reserve();
    const failed = await this.#ports.openEach(this.#admitted);
    for (const each of failed) this.#log('error', 'a restored port cannot be listened on', { ...each });
    if (this.#phase !== 'starting') return; // told to leave meanwhile: the control socket is another's
    await this.#control.listen();
    if (this.#phase !== 'starting') return this.#control.close();
    this.#phase = 'serving';
    this.#statistics.startSaving();
    this.#timers.push(setInterval(() => this.#sweepPools(), POOL_SWEEP_MS).unref());
    this.#keeper.ready();
    this.#log('info', 'the edge is ready', { pid: process.pid, epoch: this.#statistics.epoch });
  }

  apply(command: unknown): Promise<ApplyReply> {
    const result = this.#turn.then(() => this.#apply(command));
    this.#turn = result.catch(() => undefined);
    return result;
  }

  async #apply(command: unknown): Promise<ApplyReply> {
    const refuse = (reason: NonNullable<ApplyReply['refused']>['reason'], detail: string): ApplyReply => ({
      applied: false,
      refused: { reason, detail },
      at: Date.now(),
    });
    if (this.#phase !== 'serving') return refuse('superseded', 'a newer edge process has taken over');
    const parsed = applyCommandSchema.safeParse(command);
    if (!parsed.success)
      return refuse(
        'invalid',
        parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '),
      );
    const { refused, table } = admit(this.#admitted, parsed.data);
    if (refused !== null) return { applied: false, refused, at: Date.now() };
    const opened = await this.#ports.open(table);
    if (!opened.ok) return refuse('port', portRefusal(opened, opened.code, this.#listeners.addresses));
    const unpersisted = await this.#persist(table);
    this.#switch(table);
    this.#ports.keepOnly(table);
    return { applied: true, refused: null, at: Date.now(), ...(unpersisted === null ? {} : { unpersisted }) };
  }

  /** Why the table could not be written, or null. Traffic obeys all the same: an abort must not wait for a disk. */
  async #persist(table: ReadonlyMap<string, AdmittedService>): Promise<string | null> {
    try {
      await this.#file.write(table);
      return null;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.#log('error', 'the routing table could not be written; it serves, but would not survive a crash', { why });
      return why;
    }
  }

  #switch(table: ReadonlyMap<string, AdmittedService>): void {
    this.#admitted = table;
    this.#table.replace(table.values());
    const splits = [...table.values()].flatMap(({ config }) => config?.split?.rollout ?? []);
    this.#statistics.keepRollouts(new Set(splits.flatMap((rollout) => [rollout, innerEvidenceOf(rollout)])));
  }

  challenge(command: unknown): ChallengeReply {
    if (this.#phase === 'serving') return this.#challenges.change(command);
    return { refused: { reason: 'superseded', detail: 'a newer edge process has taken over' } };
  }

  async #restore(): Promise<void> {
    this.#challenges.restore();
    this.#switch(await this.#file.read());
  }

  #instances(): LiveInstance[] {
    return [...this.#table.services].flatMap(({ releases }) =>
      [...releases.values()].flatMap(({ instances }) => instances),
    );
  }

  state(): EdgeState {
    return {
      epoch: this.#statistics.epoch,
      pid: process.pid,
      services: [...this.#table.services].map((service) => ({
        key: service.key,
        fence: service.fence,
        config: service.config,
        instances: [...service.releases.values()].flatMap(({ instances }) => instances.map((each) => each.toHealth())),
        effective: service.effective(),
        held: service.held.size,
      })),
      tls: this.#ports.tlsState(),
    };
  }

  stats(): Promise<EdgeStats> {
    return this.#statistics.report(Date.now(), (key) => this.#table.service(key)?.held.size ?? 0);
  }

  async quiesce(): Promise<void> {
    if (this.#phase === 'serving') this.#follow('quiesced');
    await this.#turn;
    await this.#statistics.save();
    this.#statistics.startSaving(true);
    setTimeout(() => void this.#adoptOrLeave(), ORPHAN_CHECK_MS).unref();
  }

  /** What a successor is told holds here, too, for whoever is still connected. */
  #follow(phase: 'quiesced' | 'draining'): void {
    this.#phase = phase;
    const wanted = (): boolean => this.#phase === phase;
    followTable(this.#file, wanted, (table) => this.#switch(table));
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
    this.#statistics.startSaving();
    if (successor === null) await this.#control.takePlace();
  }

  /** A successor accepts by now: finish what is here and leave. */
  async drain(): Promise<void> {
    if (this.#phase === 'draining' || this.#phase === 'gone') return;
    this.#follow('draining');
    this.#control.close();
    this.#statistics.startSaving(true);
    await this.#departure.run();
    await this.stop();
    this.#keeper.drained();
    this.#exit();
  }

  /** Nobody takes over: finish quickly what is here, and leave. */
  async shutdown(): Promise<void> {
    this.#departure.hurry();
    for (const { held } of this.#table.services) held.wake();
    await this.drain();
  }

  /** Listening sockets, for a new keeper. */
  sockets(): HeldSocket[] {
    return this.#listeners.sockets();
  }

  get serving(): boolean {
    return this.#phase === 'serving' || this.#phase === 'quiesced';
  }

  get draining(): boolean {
    return this.#context.draining;
  }

  /** A port that was taken by somebody else is free now, or a certificate can be used that could not. */
  #openLate(): Promise<unknown> {
    this.#turn = this.#turn.then(async () => {
      if (this.#phase === 'serving') await this.#ports.openEach(this.#admitted);
    });
    this.#turn = this.#turn.catch((error: unknown) => this.#log('error', 'no port opened', { error: String(error) }));
    return this.#turn;
  }

  /** Ends at once what is left. */
  async stop(): Promise<void> {
    if (this.#phase === 'gone') return;
    this.#phase = 'gone';
    for (const timer of this.#timers) clearInterval(timer);
    this.#control.close();
    void this.#listeners.stopAccepting();
    this.#listeners.destroyAll();
    this.#table.stop();
    this.#context.sweeper.stop();
    this.#ports.stop();
    await this.#statistics.close();
    await this.#accessLogs.flush();
  }

  #sweepPools(): void {
    const now = performance.now();
    for (const instance of this.#instances()) instance.pool.sweep(now);
  }
}
