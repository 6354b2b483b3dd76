import { join } from 'node:path';
import type { ImageStore } from '../build/image-store.ts';
import { etagOf } from '../core/etag.ts';
import { timestamp, type World } from '../core/world.ts';
import { RememberedProcesses } from '../process/remembered.ts';
import { type Behind, InnerDoors } from './inner-doors.ts';
import { hostsOf, placeOf, revisionName, shortName, type ServiceHosts } from './names.ts';
import { RunLogs } from './logs.ts';
import { Metrics } from './metrics.ts';
import type { HostTools } from './launch.ts';
import type { RunOptions } from './options.ts';
import { Pool, type PoolLimits } from './pool.ts';
import { instanceSpec } from './revision-spec.ts';
import { tablesOf, type Tables } from './rows.ts';
import type { Program, Revision, Service } from './shapes.ts';
import { SqlSockets } from './sql-sockets.ts';
import { sharesOf } from './traffic.ts';

/** What is alive of Cloud Run in one emulator: its tables, and the instances behind them. */
export class Engine {
  readonly world: World;
  readonly tables: Tables;
  readonly images: ImageStore;
  readonly host: HostTools;
  readonly options: RunOptions;
  readonly logs: RunLogs;
  readonly metrics: Metrics;
  readonly remembered: RememberedProcesses;
  readonly #sql: SqlSockets | null;
  readonly #inner: InnerDoors;
  /** Aborted when the emulator ends. */
  readonly stopping = new AbortController();
  readonly #pools = new Map<string, Pool>();
  /** Pools that went, until they have answered what was asked of them. */
  readonly #leaving = new Map<Pool, Promise<void>>();
  readonly #turns = new Map<string, Promise<void>>();
  readonly #cancels = new Map<string, AbortController>();

  constructor(world: World, images: ImageStore, host: HostTools, options: RunOptions, behind: Behind) {
    this.world = world;
    this.images = images;
    this.host = host;
    this.options = options;
    this.tables = tablesOf(world.state);
    this.logs = new RunLogs(world);
    this.metrics = new Metrics(world, options);
    const { folder, postgres } = world.options;
    this.#sql = postgres === null ? null : new SqlSockets(postgres);
    this.#inner = new InnerDoors(behind);
    this.remembered = new RememberedProcesses(folder === null ? null : join(folder, 'run-processes.json'));
  }

  /** A moment as text, now. */
  time(): string {
    return timestamp(this.world.now());
  }

  etag(name: string): string {
    return `"${etagOf([name, this.world.state.next()])}"`;
  }

  hosts(service: string): ServiceHosts {
    const place = placeOf(service);
    return hostsOf(place, this.world.projects.find(place.project).number, shortName(service));
  }

  /** Work on one service (or execution) is done in turns; what fails in it is not the next one's business. */
  inTurn(name: string, work: () => Promise<void>): Promise<void> {
    const before = this.#turns.get(name) ?? Promise.resolve();
    const turn = before.then(async () => {
      if (!this.stopping.signal.aborted) await work();
    });
    const quiet = turn.catch(() => {});
    this.#turns.set(name, quiet);
    void quiet.then(() => {
      if (this.#turns.get(name) === quiet) this.#turns.delete(name);
    });
    return quiet;
  }

  /** Variables as a program on this machine needs them: sockets of Cloud SQL and addresses of services are others here. */
  onHost(values: Record<string, string>, program: Program): Promise<Record<string, string>> {
    const instances = (program.volumes ?? []).flatMap(({ cloudSqlInstance }) => cloudSqlInstance?.instances ?? []);
    return this.#inner.onHost(this.#sql?.onHost(values, instances) ?? values);
  }

  /** By which an execution is cancelled. */
  cancelled(execution: string): AbortController {
    const known = this.#cancels.get(execution) ?? new AbortController();
    this.#cancels.set(execution, known);
    return known;
  }

  forget(execution: string): void {
    this.#cancels.delete(execution);
  }

  /** The instances of a revision, none at first. */
  pool(revision: Revision): Pool {
    const known = this.#pools.get(revision.name);
    if (known !== undefined) return known;
    const pool = new Pool(() => instanceSpec(this, revision), this.#limits(revision, 0));
    this.#pools.set(revision.name, pool);
    return pool;
  }

  /** How many instances run of a revision now. */
  running(revision: string): number {
    return this.#pools.get(revision)?.size ?? 0;
  }

  /** Brings the instances of a service's revisions to what its traffic asks for. */
  settle(service: Service): void {
    const statuses = service.trafficStatuses ?? [];
    const shares = sharesOf(statuses);
    const byHand = scaledByHand(service);
    for (const revision of this.tables.revisions.list(`${service.name}/revisions/`)) {
      if (byHand === 0) {
        this.drop(revision.name);
        continue;
      }
      const share = shares.get(shortName(revision.name));
      const least = share === undefined ? 0 : leastOf(revision, service, share);
      const pool = this.#pools.get(revision.name) ?? (least > 0 ? this.pool(revision) : undefined);
      pool?.limit(this.#limits(revision, least));
    }
  }

  /** Ends the instances of a revision that goes, once they have answered. */
  drop(revision: string): void {
    const pool = this.#pools.get(revision);
    if (pool === undefined) return;
    this.#pools.delete(revision);
    this.#leaving.set(
      pool,
      pool.retire().finally(() => this.#leaving.delete(pool)),
    );
  }

  revisionOf(service: string, revision: string): Revision | undefined {
    return this.tables.revisions.get(revisionName(service, revision));
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    const pools = [...this.#pools.values(), ...this.#leaving.keys()];
    this.#pools.clear();
    await Promise.all([...pools.map((pool) => pool.stop()), ...this.#leaving.values(), ...this.#turns.values()]);
    this.metrics.stop();
    await this.#inner.stop();
    await this.#sql?.stop();
  }

  #limits(revision: Revision, least: number): PoolLimits {
    const { idleMs, waitMs } = this.options;
    const most = revision.scaling?.maxInstanceCount ?? 100;
    return {
      least: Math.min(least, most),
      most,
      concurrency: revision.maxInstanceRequestConcurrency ?? 80,
      idleMs,
      waitMs,
    };
  }
}

/** How many instances a service has, whatever is asked of it; null: as many as its requests need. */
export const scaledByHand = ({ scaling }: Service): number | null =>
  scaling?.scalingMode === 'MANUAL' ? (scaling.manualInstanceCount ?? 0) : null;

/** A revision's own least counts while it is reachable; the service's is shared out by traffic. */
function leastOf(revision: Revision, service: Service, share: number): number {
  const byHand = scaledByHand(service);
  if (byHand !== null) return Math.ceil((byHand * share) / 100);
  const shared = Math.ceil(((service.scaling?.minInstanceCount ?? 0) * share) / 100);
  return Math.max(revision.scaling?.minInstanceCount ?? 0, shared);
}
