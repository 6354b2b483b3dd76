import { withRecord } from '../../domain/cloud/run/record.ts';
import {
  addressOf,
  askedShares,
  disturbed,
  isOpen,
  nextSplits,
  observedShares,
  observedTable,
  sameShares,
  wantedShares,
  whyUnable,
  withShares,
} from '../../domain/cloud/run/targets.ts';
import {
  type ApplyCommand,
  type ApplyReply,
  type EdgeInstanceHealth,
  type EdgeService,
  type EdgeState,
  serviceKey,
} from '../../domain/traffic/protocol.ts';
import type { EdgeStats } from '../../domain/traffic/stats.ts';
import { described, EvenkeelError } from '../../ports/errors.ts';
import type { Asked, ProbeReply, ProbeRequest, Traffic } from '../../ports/traffic.ts';
import { changeService } from './change.ts';
import type { HealthChecks } from './health.ts';
import type { Counts, Monitoring } from './monitoring.ts';
import { keepOpen } from './open.ts';
import { OwnRequests } from './own-requests.ts';
import { noAddress, noAnswer, stateOf, tooOld, whyNoAnswer } from './replies.ts';
import type { AskService, RunApi } from './run-api.ts';
import { type ServiceStats, statsOf } from './stats.ts';
import type { CloudEnvironment, SeenService, Views } from './view.ts';

export interface CloudRunTrafficOptions {
  api: RunApi;
  views: Views;
  health: HealthChecks;
  monitoring: Monitoring;
  ask: AskService;
  environmentOf: (scope: Asked) => Promise<CloudEnvironment | null>;
  /** How long a change of the split takes until all requests follow it, ms. */
  settleMs: number;
  warn: (message: string) => void;
}

/** What is hot but has no traffic is asked so often, ms: more often than Cloud Run stops what nobody asks. */
const KEEP_AWAKE_MS = 30_000;

/** Steers the traffic of services on Cloud Run, by the percentages of their revisions. */
export class CloudRunTraffic implements Traffic {
  readonly #options: CloudRunTrafficOptions;
  /** What was told of services of which nothing is there yet; told again by whoever comes after. */
  readonly #before = new Map<string, { table: EdgeService; fence: number }>();
  readonly #own: OwnRequests;
  #sequence = 0;

  constructor(options: CloudRunTrafficOptions) {
    this.#options = options;
    this.#own = new OwnRequests(options.monitoring.periodMs, Date.now());
  }

  async apply(command: ApplyCommand): Promise<ApplyReply> {
    for (const table of command.services) {
      const refused = await this.#applyOne(table, command.fence);
      if (refused !== null) return { applied: false, refused, at: Date.now() };
    }
    for (const key of command.remove) await this.#remove(key, command.fence);
    return { applied: true, refused: null, at: Date.now() };
  }

  /** One service: its shares, its history and who told it change in one request, or not at all. */
  async #applyOne(table: EdgeService, fence: number): Promise<ApplyReply['refused']> {
    const environment = await this.#environment(table);
    const seen = await this.#seen(environment, table.service);
    const key = serviceKey(table);
    if (seen === null) {
      const known = this.#before.get(key);
      if (known !== undefined && known.fence > fence) return tooOld(known.fence, fence);
      this.#before.set(key, { table, fence });
      return null;
    }
    if (seen.record.fence > fence) return tooOld(seen.record.fence, fence);
    const unable = whyUnable(table);
    if (unable !== null) return { reason: 'invalid', detail: unable };
    // First: what failed here would not be asked for again once the shares are as they are to be.
    await keepOpen(this.#options.api, environment, seen.name, isOpen(table, seen.record));
    let refused: ApplyReply['refused'] = null;
    const changed = await changeService(this.#options.api, environment, seen.name, (service, record) => {
      refused = record.fence > fence ? tooOld(record.fence, fence) : null;
      if (refused !== null) return null;
      const now = Date.now();
      const shares = wantedShares(table, record);
      const observed = observedShares(service);
      const expected = record.table === null ? null : wantedShares(record.table, record);
      const bySomebody = expected !== null && !sameShares(expected, observed) && service.reconciling !== true;
      const before = bySomebody
        ? disturbed(record.splits, { from: Date.parse(service.updateTime ?? '') || now, until: now })
        : record.splits;
      const splits = nextSplits(before, table, now);
      const asked = shares === null || sameShares(shares, askedShares(service));
      if (asked && JSON.stringify(record.table) === JSON.stringify(table)) {
        refused = { reason: 'pending', detail: 'Cloud Run is still doing what it was told before' };
        return null;
      }
      return {
        body: {
          annotations: withRecord(service, { ...record, fence, table, splits }),
          ...(asked || shares === null ? {} : { traffic: withShares(service, shares) }),
        },
        mask: ['annotations', ...(asked ? [] : ['traffic'])],
      };
    });
    if (refused !== null) return refused;
    this.#before.delete(key);
    if (changed) this.#options.views.changed(environment);
    return null;
  }

  /** What goes is closed; what becomes of its revisions is the runtime's. */
  async #remove(key: string, fence: number): Promise<void> {
    this.#before.delete(key);
    const [project = '', environment = '', service = ''] = key.split('/');
    const there = await this.#environment({ project, environment });
    const seen = await this.#seen(there, service);
    if (seen === null) return;
    await keepOpen(this.#options.api, there, seen.name, false);
    await changeService(this.#options.api, there, seen.name, (now, record) =>
      record.fence > fence || record.table === null
        ? null
        : {
            body: {
              annotations: withRecord(now, { ...record, fence, table: null, splits: { rollout: '', since: [] } }),
            },
            mask: ['annotations'],
          },
    );
    this.#options.views.changed(there);
  }

  async state(asked?: Asked): Promise<EdgeState> {
    if (asked === undefined) return stateOf([]);
    const environment = await this.#options.environmentOf(asked);
    if (environment === null) return stateOf([]);
    const { services } = await this.#options.views.of(environment);
    const known = services.flatMap((seen) => {
      const { table } = seen.record;
      return table === null ? [] : [this.#serviceState(seen, table)];
    });
    const there = new Set(known.map(({ key }) => key));
    const waiting = [...this.#before.values()]
      .filter(({ table }) => table.project === asked.project && table.environment === asked.environment)
      .map(({ table, fence }) => ({ key: serviceKey(table), fence, config: table, instances: [], held: 0 }))
      .filter(({ key }) => !there.has(key));
    return stateOf([...known, ...waiting]);
  }

  #serviceState(seen: SeenService, table: EdgeService): EdgeState['services'][number] {
    const { service, record } = seen;
    const config = observedTable(service, record, table);
    const instances = table.releases.flatMap((release) =>
      release.instances.map(({ id }) => this.#healthOf(seen, config, id)),
    );
    const { uri: url } = service;
    return {
      key: serviceKey(table),
      fence: record.fence,
      config,
      instances,
      held: 0,
      ...(url === undefined ? {} : { url }),
    };
  }

  /**
   * In a rollout and its window each instance is asked; what serves alone is not: that would keep it from ever scaling to
   * zero, and Cloud Run says whether it is ready.
   */
  #healthOf({ service, record }: SeenService, config: EdgeService, id: string): EdgeInstanceHealth {
    const none = { id, inFlight: 0, ejected: false };
    const instance = Object.values(record.instances).find((each) => each.id === id);
    const release = config.releases.find((each) => each.instances.some((one) => one.id === id));
    if (instance === undefined || release === undefined || instance.stopped !== undefined)
      return { ...none, healthy: false, consecutive: 0, checks: 0, lastError: 'there is no such revision any more' };
    const running = config.releases.filter((each) => each.instances.length > 0);
    const alone = running.length === 1 && config.preview === null && release.weight === 100;
    const url = addressOf(service, instance);
    if (alone) return { ...none, healthy: true, consecutive: 2, checks: 1, lastError: null };
    if (url === null) return { ...none, healthy: false, consecutive: 0, checks: 0, lastError: noAddress(service) };
    const { path, intervalMs, timeoutMs } = release.health ?? config.health;
    const resting = release.weight === 0 && config.preview?.release !== release.release;
    const target = {
      id,
      url,
      path: path ?? '/',
      group: serviceKey(config),
      audience: service.uri ?? null,
      intervalMs,
      restMs: resting ? Math.max(intervalMs, KEEP_AWAKE_MS) : intervalMs,
      timeoutMs,
      answered: (status: number) => this.#own.answered(id, status, Date.now()),
    };
    return { ...none, ...this.#options.health.of(target) };
  }

  async stats(asked?: Asked): Promise<EdgeStats> {
    const environment = asked === undefined ? null : await this.#options.environmentOf(asked);
    const services = environment === null ? [] : (await this.#options.views.of(environment)).services;
    const known = environment === null ? [] : await this.#statsOf(environment, services);
    return {
      epoch: 'cloud-run',
      sequence: ++this.#sequence,
      at: Date.now(),
      releases: known.flatMap((each) => each.releases),
      services: [],
      evidence: known.flatMap((each) => each.evidence),
      unrouted: 0,
    };
  }

  /** Nothing is proven while the counts cannot be read: then there are none, and that is what a verdict is made of. */
  async #statsOf(environment: CloudEnvironment, services: SeenService[]): Promise<NonNullable<ServiceStats>[]> {
    const { monitoring, settleMs, warn } = this.#options;
    const since = services.flatMap(({ record }) => record.splits.since[0]?.at ?? []);
    let counts: Counts | null = null;
    try {
      counts = await monitoring.of(environment, since.length === 0 ? null : Math.min(...since));
    } catch (error) {
      warn(
        `the requests of ${environment.scope.project} ${environment.scope.environment} cannot be counted: ${described(error)}`,
      );
    }
    return services.flatMap(
      (seen) => statsOf(counts, seen, { settleMs, periodMs: monitoring.periodMs, own: this.#own }) ?? [],
    );
  }

  /**
   * Cloud Run does not say which revision answered. One that has all traffic is taken to have; where two share it, the one
   * that is meant is asked at the address of its tag, after the service has answered at its own.
   */
  async probe(request: ProbeRequest): Promise<ProbeReply> {
    const { of } = request;
    if (of === undefined) throw noAnswer(request, 'nobody said of which service');
    const environment = await this.#environment(of);
    const seen = await this.#seen(environment, of.service);
    if (seen === null) throw noAnswer(request, 'there is no such service on Cloud Run');
    if (of.release !== null) return this.#askTagged(request, seen, of.release);
    const { uri } = seen.service;
    if (uri === undefined) throw noAnswer(request, 'it has no address yet');
    // Whom everybody may ask is asked as anybody; until that is so everywhere, it is no answer of the service.
    const open = seen.record.table !== null && isOpen(seen.record.table, seen.record);
    const reply = await this.#askAt(request, uri, open ? null : uri);
    const why = whyNoAnswer(request, reply, { url: uri, open, health: seen.record.table?.health.path ?? null });
    if (why !== null) return { ...reply, release: null, detail: why };
    const [most] = [...observedShares(seen.service)].toSorted(([, a], [, b]) => b - a);
    const instance = most === undefined ? undefined : seen.record.instances[most[0]];
    if (most === undefined || instance === undefined) return { ...reply, release: null };
    return most[1] === 100 ? { ...reply, release: instance.release } : this.#askTagged(request, seen, instance.release);
  }

  async #askTagged(request: ProbeRequest, { service, record }: SeenService, release: string): Promise<ProbeReply> {
    const instance = Object.values(record.instances).find(
      (each) => each.release === release && each.stopped === undefined,
    );
    const url = instance === undefined ? null : addressOf(service, instance);
    if (url === null) throw noAnswer(request, `${release} has no address of its own yet`);
    const reply = await this.#askAt(request, url, service.uri ?? null);
    if (instance !== undefined) this.#own.answered(instance.id, reply.status, Date.now());
    return { ...reply, release };
  }

  async #askAt(request: ProbeRequest, url: string, audience: string | null): Promise<Omit<ProbeReply, 'release'>> {
    const { method, path, timeoutMs } = request;
    try {
      return await this.#options.ask({ url: `${url}${path}`, method, audience, timeoutMs });
    } catch (error) {
      throw noAnswer(request, error instanceof Error ? error.message : String(error));
    }
  }

  async #environment(scope: Asked): Promise<CloudEnvironment> {
    const environment = await this.#options.environmentOf(scope);
    if (environment !== null) return environment;
    throw new EvenkeelError({
      code: 'cloud-environment-unknown',
      what: `${scope.project} ${scope.environment} does not run on Cloud Run`,
      next: 'evenkeel status',
      exit: 2,
    });
  }

  async #seen(environment: CloudEnvironment, service: string): Promise<SeenService | null> {
    const { services } = await this.#options.views.of(environment);
    return services.find((each) => each.service.labels?.['evenkeel-service'] === service) ?? null;
  }
}
