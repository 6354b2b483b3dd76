import { innerEvidenceOf } from '../domain/analysis/evidence.ts';
import type { AdmittedTable } from '../domain/traffic/admission.ts';
import type { EdgeState } from '../domain/traffic/protocol.ts';
import { AccessLogs } from './access-log/access-logs.ts';
import { Challenges } from './acme/challenges.ts';
import { Departure } from './departure.ts';
import { KeeperLink } from './listen/keeper-link.ts';
import type { KeeperEvents } from './listen/keeper-link.ts';
import { Listeners } from './listen/listeners.ts';
import type { Withdraw } from './listen/listeners.ts';
import { Ports } from './listen/ports.ts';
import type { LiveInstance } from './live/instance.ts';
import { probeAll } from './live/probe-all.ts';
import { LiveTable } from './live/table.ts';
import type { EdgeLog } from './log.ts';
import type { EdgeOptions } from './options.ts';
import { LivePolicies } from './policy/live-policies.ts';
import type { LimiterFor } from './policy/limits.ts';
import type { ProxyContext } from './proxy/context.ts';
import { Front } from './proxy/front.ts';
import { Sweeper } from './proxy/sweeper.ts';
import { probeCheck, trust } from './proxy/trust.ts';
import { followTable } from './state/follow-table.ts';
import type { TableFile } from './state/table-file.ts';
import type { OwnCounts } from './stats/own-counts.ts';
import { TlsPorts } from './tls/tls-ports.ts';

const POOL_SWEEP_MS = 500;
/** For instances to be looked at before traffic is taken. */
const PROBE_MS = 1_500;

export interface WorkerParts {
  readonly counts: OwnCounts;
  readonly limiterFor: LimiterFor;
  readonly events: Pick<KeeperEvents, 'drain' | 'shutdown' | 'lost'>;
  /** A port could not be opened before, and perhaps can be now. */
  readonly openLate: () => void;
  readonly withdraw?: Withdraw;
}

/** What receives and answers traffic in a process, whoever tells it how: the only one, the lead of several, a follower. */
export class Worker {
  readonly keeper: KeeperLink;
  readonly context: ProxyContext;
  readonly table: LiveTable;
  readonly challenges: Challenges;
  readonly listeners: Listeners;
  readonly ports: Ports;
  readonly departure: Departure;
  readonly #accessLogs: AccessLogs;
  #sweeping: NodeJS.Timeout | null = null;
  #following: symbol | null = null;

  constructor(options: EdgeOptions, log: EdgeLog, { counts, limiterFor, events, openLate, withdraw }: WorkerParts) {
    this.challenges = new Challenges(options.folder, log);
    this.#accessLogs = new AccessLogs(options.logs, log);
    // Of what may wait, each worker has its share: what it holds is its own memory, and nobody else's.
    const mayWait = Math.max(1, Math.floor(options.hold.requests / options.workers));
    this.table = new LiveTable(counts, mayWait, new LivePolicies(log, this.#accessLogs, limiterFor));
    this.context = {
      options,
      book: counts.book,
      sweeper: new Sweeper(),
      longLived: new Set(),
      inFlight: 0,
      draining: false,
      stopping: false,
      lookUp: null,
      service: (key) => this.table.service(key),
      trusts: trust(options.trustedProxies),
      isProbe: probeCheck(options.probeToken),
      servesTls: (address) => this.ports.servesTls(address),
      challenges: this.challenges,
      limiterFor,
    };
    this.keeper = new KeeperLink({
      ...events,
      unlisten: (address) => this.listeners.close(address),
      gained: openLate,
    });
    const tls = new TlsPorts({ folder: options.folder, lookMs: options.certificateLookMs }, log, openLate);
    this.listeners = new Listeners(this.context, new Front(this.context, this.table), {
      keeper: this.keeper,
      tls,
      ...(withdraw === undefined ? {} : { withdraw }),
    });
    this.ports = new Ports(this.listeners, tls);
    this.departure = new Departure(options, this.context, this.listeners);
  }

  get instances(): LiveInstance[] {
    return [...this.table.services].flatMap(({ releases }) =>
      [...releases.values()].flatMap(({ instances }) => instances),
    );
  }

  state(): EdgeState['services'] {
    return [...this.table.services].map((service) => ({
      key: service.key,
      fence: service.fence,
      config: service.config,
      instances: [...service.releases.values()].flatMap(({ instances }) => instances.map((each) => each.toHealth())),
      effective: service.effective(),
      held: service.held.size,
    }));
  }

  /** Looks at all instances that are not known to be healthy. */
  probe(): Promise<void> {
    return probeAll(this.instances, PROBE_MS);
  }

  /** Another process decides about the table from now on: `take` is given each that it writes, before the next request. */
  follow(file: TableFile, take: (table: AdmittedTable) => void): void {
    const mine = Symbol('following');
    this.#following = mine;
    this.context.lookUp = followTable(file, () => this.#following === mine, take);
  }

  /** No other process decides any more. */
  heed(): void {
    this.#following = null;
    this.context.lookUp = null;
  }

  startSweeping(): void {
    this.#sweeping ??= setInterval(() => {
      const now = performance.now();
      for (const instance of this.instances) instance.pool.sweep(now);
    }, POOL_SWEEP_MS).unref();
  }

  /** Nobody waits any more for what does not come. */
  hurry(): void {
    this.departure.hurry();
    for (const { held } of this.table.services) held.wake();
  }

  /** Ends at once what is left. */
  async stop(counts: OwnCounts): Promise<void> {
    if (this.#sweeping !== null) clearInterval(this.#sweeping);
    this.heed();
    void this.listeners.stopAccepting();
    this.listeners.destroyAll();
    this.table.stop();
    this.context.sweeper.stop();
    this.ports.stop();
    await counts.close();
    await this.#accessLogs.flush();
  }
}

/** The rollouts whose evidence a table needs. */
export function rolloutsOf(table: AdmittedTable): Set<string> {
  const splits = [...table.values()].flatMap(({ config }) => config?.split?.rollout ?? []);
  return new Set(splits.flatMap((rollout) => [rollout, innerEvidenceOf(rollout)]));
}
